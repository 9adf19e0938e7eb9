"""The words of the page, two lines each."""

from __future__ import annotations

from html import escape

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.html.lesson import next_line

WORDS = {
    _("Universal perturbation"): _(
        "One fixed pattern v that is added to every photograph and changes the network's answer on most"
        " of them. It knows none of the pictures that it meets."
    ),
    _("Fooling rate"): _(
        "The share of pictures whose answer changes when the pattern is added. Whether the first answer was right"
        " does not matter."
    ),
    _("Strength, epsilon (ε)"): _(
        "How large a change may be. Strength 10 of 255 means that no colour value moves by more than 10 of its 255 levels;"
        " papers write ε = 10/255."
    ),
    "l_inf": _("The largest single change among all colour values of a picture. A bound on it lets every pixel move a little."),
    "l2": _(
        "The length of the whole change: the root of the sum of all squares. A bound on it lets few pixels move far, or many"
        " a little."
    ),
    _("White, grey, black box"): _(
        "What an attacker knows: all of the network; another network or other pictures in its stead; or"
        " nothing but its answers."
    ),
    _("Targeted"): _("The attack wants one class of its choice. Untargeted, any other answer than the first will do."),
    _("Logits"): _(
        "The scores that a network gives to its classes, before they are turned into probabilities. The highest is its answer."
    ),
    _("Softmax"): _(
        "Makes probabilities of logits: e to the power of each, divided by the sum of all. They are positive and add up to 1."
    ),
    _("Cross-entropy"): _(
        "The usual loss J: minus the logarithm of the probability that the network gives to the right class. 0 if it is"
        " certain of it, large if it is certain of another."
    ),
    _("Gradient"): _(
        "The direction in which a number grows fastest. Attacks follow it in the picture, training follows it in the weights."
    ),
    _("Backpropagation"): _(
        "The chain rule from the loss back through all layers. One such pass gives the gradient in every weight, and in every"
        " colour value of the picture."
    ),
    _("Image-gradient"): _(
        "One pass forward and one back through the network for one picture. What crafting a pattern costs is counted in them."
    ),
    _("Craft set, held-out set"): _(
        "Pictures that a pattern is made from, and others that it was not made from. Only the second kind says how universal"
        " it is."
    ),
    _("Lipschitz constant"): _(
        "By how much a network's answer can change at most, for each unit that its input moves. A small one would prove that"
        " small changes do little."
    ),
    _("GAN, discriminator"): _(
        "Two networks that play against each other: the generator makes samples from random numbers, the discriminator"
        " says how real a sample is (Goodfellow et al., 2014)."
    ),
    _("Class impression"): _(
        "A picture that was optimised from noise until the network was sure of a class. Class impressions stand in for"
        " photographs, which cannot all be shipped."
    ),
    _("Live, precomputed"): _(
        "Measured here and now, or before this page was shipped, mostly on more pictures. Live runs draw with seed 0;"
        " in Craft you choose it."
    ),
    _("95 % confidence interval"): _(
        "Where the true rate lies, judging by this many pictures; drawn as bands and bars. Of a hundred"
        " such intervals some five miss it."
    ),
    _("PSNR"): _(
        "How close two pictures are, in decibels, from the mean squared difference. Above some 40 dB one hardly sees a change."
    ),
    _("SSIM"): _("How alike the structure of two pictures is; 1 means equal. It follows the eye better than PSNR does."),
    _("Transfer"): _(
        "What was made on one network also fools another one, which had no part in it. So an attacker can do without"
        " the weights."
    ),
    _("FGSM"): _(
        "One step of size epsilon along the signs of the gradient, for one picture (Goodfellow et al., 2015). Iterated, it"
        " becomes PGD."
    ),
    _("DeepFool"): _(
        "Walks to the nearest boundary between two classes, taking the network for linear at each step"
        " (Moosavi-Dezfooli et al., 2016)."
    ),
}
CSS = """
.glossary { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: .7rem 2rem; margin: 0; }
.glossary dt { font-weight: 700; margin: 0; } .glossary dd { margin: 0; line-height: 1.45; }
"""


def build() -> None:
    """All words on one page."""
    lines = "".join(f"<div><dt>{escape(word)}</dt><dd>{escape(meaning)}</dd></div>" for word, meaning in WORDS.items())
    gr.HTML(f'<dl class="glossary">{lines}</dl>', elem_id="glossary")
    gr.HTML(next_line("apply", _("Back to the beginning: see it")))
