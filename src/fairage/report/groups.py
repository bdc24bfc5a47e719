"""The order in which a report shows groups: ages rise, other groups are sorted by name."""

import re

from fairage.age_groups import DEFAULT_AGE_GROUPS
from fairage.audit.groups import GroupMeans
from fairage.tables import AGE_GROUP

__all__ = ["group_order", "ordered_groups"]

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def group_order(attribute: str, names: tuple[str, ...]) -> list[int]:
    """Return the indices of the names in the order to show them.

    Examples:
        >>> group_order("age_group", ("old", "young"))
        [1, 0]
        >>> group_order("age_group", ("18-65", "65+", "0-18"))
        [2, 0, 1]
    """
    indices = range(len(names))
    if attribute != AGE_GROUP:
        return sorted(indices, key=names.__getitem__)
    if set(names) <= set(DEFAULT_AGE_GROUPS.names):
        return sorted(indices, key=lambda i: DEFAULT_AGE_GROUPS.names.index(names[i]))
    return sorted(indices, key=lambda i: (_first_number(names[i]), names[i]))


def ordered_groups(attribute: str, groups: GroupMeans) -> GroupMeans:
    """Return the same groups in the order to show them."""
    order = group_order(attribute, groups.names)
    names = tuple(groups.names[i] for i in order)
    return GroupMeans(names, groups.counts[order], groups.means[order])


def _first_number(name: str) -> float:
    found = _NUMBER.search(name)
    return float(found[0]) if found else float("inf")
