"""The front door: python app.py opens the page."""

import argparse
import os
import sys
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported: it would look up a host otherwise
# It would also keep ten thousand events and sum all of them up after each: memory that grows, and time that clicks wait for.
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)
# Before torch is imported. Its threads would spin while they wait for each other, on processors that a browser or another
# visitor's click needs, and all would come to a crawl.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if os.environ.get("SPACES_ZERO_GPU"):
    import spaces  # noqa: F401 - on a Space that lends graphics cards, before anything else asks for one


def options() -> argparse.Namespace:
    """What was typed after python app.py."""
    from uap_core.limits import limits

    parser = argparse.ArgumentParser(
        description="See universal adversarial perturbations in the browser.",
        epilog=f"environment variables:\n{limits().described()}\n  UAP_DEVICE=cpu  where networks compute: cpu or cuda\n"
        "  UAP_LANGUAGE=en  language of the page: en, or one that has a catalogue in uap_core/locale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=Path, help="a further folder of network cards (JSON)")
    parser.add_argument("--images", type=Path, help="a folder or zip of your own pictures for the live measurements")
    parser.add_argument("--host", help="address to listen on, such as 0.0.0.0 (default: this machine only)")
    parser.add_argument("--port", type=int, help="port (default: the first free one from 7860)")
    parser.add_argument("--share", action="store_true", help="a public address through Gradio's servers (default: off)")
    return parser.parse_args()


def main() -> None:
    """Read the options and serve the page."""
    from uap_core.errors import UapError

    try:
        chosen = options()
        from uap_core.models.allocator import keep_freed_memory
        from uap_core.ui.page import serve

        keep_freed_memory()
        serve(chosen.models, chosen.images, chosen.host, chosen.port, chosen.share)
    except UapError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
