"""Self-checks: a few questions on what is easily misunderstood, with a reason for each option."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from .. import journal
from ..look import GREEN, GREY, ORANGE, card, plain, rich
from ..questions import Lesson, Question
from ..questions import lesson as lesson_of
from .live import bundle

if TYPE_CHECKING:
    import ipywidgets

# ipywidgets cuts a label after one line; an option may be a sentence.
STYLE = """<style>
.labkit-options, .labkit-options .widget-radio-box { height: auto; max-width: 100%; }
.labkit-options .widget-radio-box label, .labkit-options label.widget-label-basic {
  display: flex; align-items: baseline; gap: 10px; height: auto; margin: 0 0 4px 0;
  white-space: normal; line-height: 1.5; }
.labkit-options .widget-radio-box label { flex-direction: row-reverse; justify-content: flex-end; }
.labkit-options .widget-radio-box label input { margin: 0; position: relative; top: 1px; }
.labkit-options input { flex: none; }
</style>"""


class SelfCheck:
    """The questions of a lesson, as text, as HTML and, in a live notebook, to be answered."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson

    def __repr__(self) -> str:
        asked, answers = [], []
        for number, question in enumerate(self.lesson.questions, 1):
            lettered = list(zip(string.ascii_lowercase, question.options, strict=False))
            asked += ["", f"{number}. {plain(question.text)} ({_how_many(question)})"]
            asked += [f"   {letter}) {plain(option.text)}" for letter, option in lettered]
            right = ", ".join(letter for letter, option in lettered if option.right)
            answers += ["", f"{number}. {right}"]
            answers += [f"   {letter}) {_reason(option, plain)}" for letter, option in lettered]
        return "\n".join([*asked[1:], "", "—" * 12, "Answers", *answers])

    def _repr_html_(self) -> str:
        items = []
        for question in self.lesson.questions:
            options = "".join(
                f"<details><summary>{rich(option.text)}</summary>{_reason(option, rich)}</details>"
                for option in question.options
            )
            items.append(
                f"<li style='margin-bottom:10px'><strong>{rich(question.text)}</strong>"
                f" ({_how_many(question)}){options}</li>"
            )
        return f"<ol style='line-height:1.5'>{''.join(items)}</ol>"

    def _box(self) -> ipywidgets.VBox:
        import ipywidgets

        asked = [
            Asked(number, question).box for number, question in enumerate(self.lesson.questions, 1)
        ]
        return ipywidgets.VBox([ipywidgets.HTML(STYLE), *asked])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return bundle(repr(self), self._box, html=self._repr_html_())


class Asked:
    """One question on the page: its options, a button, and what the answer was worth."""

    def __init__(self, number: int, question: Question) -> None:
        import ipywidgets

        self.question = question
        layout = ipywidgets.Layout(width="auto", max_width="100%")
        labels = [plain(option.text) for option in question.options]
        self.boxes: list[ipywidgets.Checkbox] = []
        self.radio: ipywidgets.RadioButtons | None = None
        options: list[ipywidgets.Widget]
        if question.multiple:
            self.boxes = [
                ipywidgets.Checkbox(description=label, indent=False, layout=layout)
                for label in labels
            ]
            options = list(self.boxes)
        else:
            places = [(label, place) for place, label in enumerate(labels)]
            self.radio = ipywidgets.RadioButtons(options=places, value=None, layout=layout)
            options = [self.radio]
        for option in options:
            option.add_class("labkit-options")
            option.tooltip = plain(question.text)
            option.observe(self._changed, "value")
        self.button = ipywidgets.Button(description="Answer", tooltip=f"Answer question {number}")
        self.button.on_click(self._answer)
        self.told = ipywidgets.HTML(self._before())
        asked = ipywidgets.HTML(
            f"<div style='line-height:1.5'><strong>{number}. {rich(question.text)}</strong>"
            f" ({_how_many(question)})</div>"
        )
        self.box = ipywidgets.VBox(
            [asked, *options, self.button, self.told],
            layout=ipywidgets.Layout(margin="0 0 14px 0", max_width="52em"),
        )

    @property
    def chosen(self) -> frozenset[int]:
        """The places of the options that are chosen, from 0."""
        if self.radio is not None:
            return frozenset() if self.radio.value is None else frozenset([self.radio.value])
        return frozenset(place for place, box in enumerate(self.boxes) if box.value)

    def _before(self) -> str:
        before = journal.journal().read().questions.get(self.question.id)
        if before is None:
            return ""
        told = "right at the first try" if before else "not right at the first try"
        return f"<div style='line-height:1.5'>Answered before: {told}.</div>"

    def _changed(self, _: Any) -> None:
        # A verdict on another choice than the one that is shown would mislead.
        self.told.value = ""

    def _answer(self, _: Any) -> None:
        chosen, right = self.chosen, self.question.right
        if not chosen:
            self.told.value = card(GREY, "Choose first, then press Answer.")
            return
        journal.answered(self.question.id, right=chosen == right)
        if chosen == right:
            reasons = self._reasons(range(len(self.question.options)))
            self.told.value = card(GREEN, f"<strong>✓ Right.</strong>{reasons}")
            return
        what = "" if self.radio else f" {_short_of(chosen, right)}"
        told = f"<strong>✗ Not yet.</strong>{what}{self._reasons(sorted(chosen - right))}"
        self.told.value = card(ORANGE, told)

    def _reasons(self, places: Any) -> str:
        options = [self.question.options[place] for place in places]
        items = (
            f"<li>{'✓' if option.right else '✗'} <em>{rich(option.text)}</em><br>"
            f"{rich(option.why)}</li>"
            for option in options
        )
        return f"<ul style='list-style:none;margin:4px 0;padding:0'>{''.join(items)}</ul>"


def _how_many(question: Question) -> str:
    return "choose all that are right" if question.multiple else "choose one"


def _reason(option: Any, form: Any) -> str:
    return f"{'Right' if option.right else 'No'}. {form(option.why)}"


def _short_of(chosen: frozenset[int], right: frozenset[int]) -> str:
    missed, wrong = len(right - chosen), len(chosen - right)
    told = []
    if wrong:
        told.append(f"{wrong} of your choices {'is' if wrong == 1 else 'are'} wrong")
    if missed:
        told.append(f"{missed} right {'one is' if missed == 1 else 'ones are'} missing")
    return f"{' and '.join(told).capitalize()}."


def self_check(lesson: str) -> SelfCheck:
    """Ask the questions of a lesson.

    The course remembers for each whether the first answer was right.

    Args:
        lesson: The lesson, such as ``"03"``.

    Returns:
        The questions, to be answered in a live notebook and to be read elsewhere.

    Raises:
        UsageError: When there is no such lesson.
    """
    return SelfCheck(lesson_of(lesson))
