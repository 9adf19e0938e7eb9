"""From `python app.py` to the page answering, beside a page with one button, in turn. Run
python tests/bench/startup.py"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
PORT = 7990
ROUNDS = 5
ONE_BUTTON = f"""
import os
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio as gr
with gr.Blocks() as demo:
    gr.Button()
demo.launch(server_port={PORT}, ssr_mode=False)
"""


def seconds_to_answer(command: list[str]) -> float:
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                urlopen(f"http://127.0.0.1:{PORT}/", timeout=5).close()
                return time.perf_counter() - started
            except OSError:
                time.sleep(0.02)
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    times: dict[str, list[float]] = {"app.py": [], "one button": []}
    for _ in range(ROUNDS):
        times["app.py"].append(seconds_to_answer([sys.executable, "app.py", "--port", str(PORT)]))
        times["one button"].append(seconds_to_answer([sys.executable, "-c", ONE_BUTTON]))
    for name, values in times.items():
        print(f"{name:12} median {statistics.median(values):.2f} s  (min {min(values):.2f}, max {max(values):.2f})")
    ratios = [a / b for a, b in zip(times["app.py"], times["one button"], strict=True)]
    print(f"{'ratio':12} median {statistics.median(ratios):.2f}    (min {min(ratios):.2f}, max {max(ratios):.2f})")


if __name__ == "__main__":
    main()
