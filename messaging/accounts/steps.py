"""Make the steps of a plan one after the other, and know after each of them what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from messaging.carriers import numbers, results
from messaging.carriers.numbers import Directory, NotThere, Step, Trouble


@dataclass(slots=True)
class Made:
    """Hold the steps that were done, and the trouble that ended it early."""

    done: list[Step] = field(default_factory=list)
    trouble: Trouble | NotThere | None = None

    @property
    def is_unclear(self) -> bool:
        """Return True if the step behind those that were done may have been done too."""
        return isinstance(self.trouble, results.OutcomeUnknown)


def make_steps(
    directory: Directory,
    steps: Sequence[Step],
    note: Callable[[list[Step]], None] = lambda _: None,
) -> Made:
    """Make the steps in order until one fails. `note` gets all that were done after each one."""
    made_id, so_far = "", Made()
    for planned in steps:
        step = planned.with_made(made_id) if made_id else planned
        result = make_step(directory, step)
        if not isinstance(result, numbers.Applied):
            so_far.trouble = result
            return so_far
        made_id = result.made or made_id
        so_far.done.append(step)
        note(so_far.done)
    return so_far


def make_step(directory: Directory, step: Step) -> numbers.Applied | NotThere | Trouble:
    """Make one step. Without a clear answer look what came of it."""
    result = directory.apply(step)
    if not isinstance(result, results.OutcomeUnknown) or not step.resource_id:
        return result
    now = directory.current(step)
    if isinstance(now, Mapping):
        if is_done(step, now):
            return numbers.Applied()
        if is_done(step.reversed(), now):
            return results.CannotTell(result.detail)
    return result


def is_done(step: Step, now: Mapping[str, str]) -> bool:
    """Return True if the fields hold what the step sets; addresses may be spelled otherwise."""
    return all(numbers.is_same(now.get(one.name, ""), one.will_be) for one in step.fields)


def take_back(
    directory: Directory, done: Sequence[Step], note: Callable[[Step], None] = lambda _: None
) -> Trouble | None:
    """Put back what the steps changed, in reverse, where it is still what they set.

    `note` is told of each step that was taken back. Return the trouble that ended it. What has
    gone or was changed since is left alone; so is what a step made, which others may use by now.
    """
    for step in reversed(done):
        if not step.resource_id:
            continue
        now = directory.current(step)
        if isinstance(now, NotThere):
            continue
        if not isinstance(now, Mapping):
            return now
        if is_done(step, now):
            result = make_step(directory, step.reversed())
            if isinstance(result, numbers.Applied):
                note(step)
            elif not isinstance(result, NotThere):
                return result
    return None


def merge(before: Sequence[Step], new: Sequence[Step]) -> list[Step]:
    """Return the steps that lead to what the new ones set from what was there before the old ones.

    For a number that somebody changed, and that is set back: what they set is not kept.
    """
    merged = {(step.resource, step.resource_id): step for step in before}
    for step in new:
        key = (step.resource, step.resource_id)
        merged[key] = _join(merged[key], step) if key in merged else step
    return [*merged.values()]


def _join(before: Step, new: Step) -> Step:
    kept = {one.name: one for one in before.fields}
    fields = [
        numbers.FieldChange(
            one.name, one.label, kept[one.name].now if one.name in kept else one.now, one.will_be
        )
        for one in new.fields
    ]
    named = {one.name for one in new.fields}
    fields += [one for one in before.fields if one.name not in named]
    return numbers.Step(
        new.resource, new.resource_id, new.title, tuple(fields), new.others, new.other_count
    )
