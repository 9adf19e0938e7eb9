"""The page: one file a tab. The only place that imports gradio."""
