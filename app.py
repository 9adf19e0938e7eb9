"""The front door: python app.py opens the page, as `uap serve` does."""

from uap_core.cli.serving import main, prepare

prepare()  # before Gradio and torch are imported, by whoever imports this file too

if __name__ == "__main__":
    main()
