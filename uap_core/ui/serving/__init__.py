"""What stands between strangers and Gradio's app: layers in front of it, its folder, its start. docs/limits.md lists them."""
