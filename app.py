"""The front door: python app.py opens the page."""

import argparse
import os
import sys
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported: it would look up a host otherwise


def main() -> None:
    """Read the options and serve the page."""
    parser = argparse.ArgumentParser(description="See universal adversarial perturbations in the browser.")
    parser.add_argument("--models", type=Path, help="a further folder of network cards (JSON)")
    parser.add_argument("--images", type=Path, help="a folder or zip of your own pictures for the live measurements")
    parser.add_argument("--host", help="address to listen on, such as 0.0.0.0 (default: this machine only)")
    parser.add_argument("--port", type=int, help="port (default: the first free one from 7860)")
    options = parser.parse_args()

    from uap_core.errors import UapError
    from uap_core.ui.page import serve

    try:
        serve(options.models, options.images, options.host, options.port)
    except UapError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
