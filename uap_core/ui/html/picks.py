"""Lists of HTML to choose from by a click or the keyboard: what carries ``data-pick`` tells its key."""

from __future__ import annotations

import gradio as gr

# Of gr.HTML: its event "select" then has the key. Pressed is the button within, or the picked part itself.
ON_PICK = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-go]')) return;
  const picked = event.target.closest('[data-pick]');
  if (!picked) return;
  const button = (part) => part.querySelector('[aria-pressed]') ?? part;
  element.querySelectorAll('[data-pick]').forEach((part) => button(part).setAttribute('aria-pressed', part === picked));
  trigger('select', { key: picked.dataset.pick });
});
"""


def pick_list(elem_id: str) -> gr.HTML:
    """A list whose ``select`` event, a gr.EventData, has the ``key`` of what was picked."""
    return gr.HTML(js_on_load=ON_PICK, elem_id=elem_id)


def picked_key(event: gr.EventData) -> str:
    """The key that was picked, as a visitor's page says it: to be looked up, never to be trusted."""
    return str(event._data.get("key", "")) if isinstance(event._data, dict) else ""


def show_on_phones(elem_id: str) -> str:
    """JavaScript that brings what stands below the list into view, where there is no room beside it."""
    return f"() => innerWidth < 900 && document.querySelector('#{elem_id}')?.scrollIntoView({{block: 'center'}})"
