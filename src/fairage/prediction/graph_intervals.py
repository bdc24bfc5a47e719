"""The part of an ONNX graph that makes intervals: its numbers stand in `intervals.bin`."""

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto as Tensors
from onnx import helper

from fairage.prediction.graph import AGE_OUTPUT, HIGH_OUTPUT, LOW_OUTPUT, NETWORK_AGE, SPREAD
from fairage.prediction.graph_tables import LAYOUT

if TYPE_CHECKING:
    from onnx import ModelProto

PREFIX = "tables/"
"""How the names of tables and nodes of this part begin."""


def add_tables(model: "ModelProto") -> None:
    """Add the line on the age, and the ends of the interval, from the numbers of `intervals.bin`.

    The graph's outputs `network_age` and `spread` become the outputs `age`, `low` and `high`, as
    `IntervalTable.interval` makes them.
    """
    table = {name: f"{PREFIX}{name}" for name in LAYOUT}
    zero, first, second, axis = (f"{PREFIX}{name}" for name in ("zero", "first", "second", "axis"))
    least, most = f"{PREFIX}least", f"{PREFIX}most"
    tensors = [
        *(
            helper.make_tensor(table[name], Tensors.FLOAT, [n], [0.0] * n)
            for name, n in LAYOUT.items()
        ),
        helper.make_tensor(zero, Tensors.FLOAT, [], [0.0]),
        helper.make_tensor(least, Tensors.FLOAT, [], [-np.inf]),
        helper.make_tensor(most, Tensors.FLOAT, [], [np.inf]),
        *(
            helper.make_tensor(name, Tensors.INT64, [], [n])
            for n, name in enumerate((first, second))
        ),
        helper.make_tensor(axis, Tensors.INT64, [1], [1]),
    ]
    steps: list[tuple[str, tuple[str, ...], str]] = [
        ("Gather", (table["line"], first), "offset"),
        ("Gather", (table["line"], second), "slope"),
        ("Mul", (NETWORK_AGE, "slope"), "steep"),
        ("Add", ("steep", "offset"), "moved"),
        ("Max", ("moved", zero), AGE_OUTPUT),
        ("Unsqueeze", (AGE_OUTPUT, axis), "ages"),
        ("Unsqueeze", (SPREAD, axis), "spreads"),
    ]
    ends = (
        (LOW_OUTPUT, "Max", table["starts"], "Greater", table["stops"], "Min", most),
        (HIGH_OUTPUT, "Min", table["stops"], "Less", table["starts"], "Max", least),
    )
    for end, inner, limit, beyond, other, outer, nothing in ends:
        steps += [
            ("Mul", ("spreads", table[end]), f"{end}_residuals"),
            ("Add", ("ages", f"{end}_residuals"), f"{end}_sums"),
            (inner, (f"{end}_sums", limit), f"{end}_ends"),
            (beyond, (f"{end}_sums", other), f"{end}_beyond"),
            ("Where", (f"{end}_beyond", nothing, f"{end}_ends"), f"{end}_possible"),
            (f"Reduce{outer}", (f"{end}_possible", axis), f"{end}_end"),
        ]
    steps.append(("Greater", ("low_end", "high_end"), "is_empty"))
    steps += [
        ("Where", ("is_empty", AGE_OUTPUT, f"{end}_end"), end) for end in (LOW_OUTPUT, HIGH_OUTPUT)
    ]
    public = {NETWORK_AGE, SPREAD, AGE_OUTPUT, LOW_OUTPUT, HIGH_OUTPUT}

    def name_of(name: str) -> str:
        return name if name in public or name.startswith(PREFIX) else f"{PREFIX}{name}"

    more = {kind: {"keepdims": 0} for kind in ("ReduceMin", "ReduceMax")}
    model.graph.node.extend(
        helper.make_node(
            kind,
            list(map(name_of, reads)),
            [name_of(gives)],
            name=f"{PREFIX}{gives}",
            **more.get(kind, {}),
        )
        for kind, reads, gives in steps
    )
    model.graph.initializer.extend(tensors)
    before = list(model.graph.output)
    before.sort(key=lambda each: each.name == NETWORK_AGE)
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, Tensors.FLOAT, ["n"])
        for name in (AGE_OUTPUT, LOW_OUTPUT, HIGH_OUTPUT)
    )
    model.graph.output.extend(before)
