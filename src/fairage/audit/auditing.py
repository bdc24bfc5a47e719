"""The audit of a table of predictions, start to end."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fairage.audit.columns import find_columns
from fairage.audit.crossing import Crossing, age_steps
from fairage.audit.findings import (
    check_claim,
    floor_warnings,
    model_warnings,
    row_warnings,
    rows_to_resolve,
)
from fairage.audit.frames import Predictions, as_table
from fairage.audit.groups import Groups, everyone
from fairage.audit.measures import measure
from fairage.audit.policy import audit_policy
from fairage.audit.resampling import NoiseFloor, noise_floors
from fairage.audit.result import (
    ALL,
    AttributeAudit,
    AuditResult,
    AverageBias,
    GroupAudit,
    ModelAudit,
    Standardised,
)
from fairage.audit.rows import ModelRows, Rows, read_rows
from fairage.audit.sample import Floats, gather
from fairage.audit.settings import AuditSettings
from fairage.audit.spread import (
    BIAS,
    GAP,
    GINI,
    RATIO,
    average_estimate,
    pair_gaps,
    spread_estimates,
)
from fairage.audit.standardise import standardise
from fairage.audit.units import group_units
from fairage.seeding import numpy_rng
from fairage.tables import AGE_GROUP

__all__ = ["audit", "audit_rows"]

AGE_STEPS = "age in steps"


def audit(
    predictions: Predictions,
    *,
    age: str | None = None,
    prediction: str | Sequence[str] = (),
    attributes: Sequence[str] | None = None,
    identity: str | None = None,
    image: str | None = None,
    age_std: str | None = None,
    settings: AuditSettings | None = None,
) -> AuditResult:
    """Return what a table of predictions owes to each group, and whether it is more than chance.

    Args:
        predictions: A file (`-` for standard input), a polars or pandas frame, or arrays by column
            name. Columns that are not named below are guessed from the usual names.
        age: Column of true ages, numbers or bins such as "20-29".
        prediction: Column or columns of predicted ages; several are audited side by side.
        attributes: Attribute columns; age groups of the true age are always added.
        identity: Column of who is on the image; intervals then draw people, not rows.
        image: Column of the images' names; tells duplicates.
        age_std: Column of the standard deviation of the raters' ages.
        settings: Options; the defaults where nothing is given.

    Raises:
        ConfigError: A named column is not there.
        DataError: The table cannot be read, or a column does not hold what it should.

    Examples:
        >>> table = {"age": [20, 30, 40], "prediction": [21, 30, 43], "gender": ["f", "f", "m"]}
        >>> model = audit(table, settings=AuditSettings(replicates=50)).models[0]
        >>> model.attribute("gender").bias.value
        2.5
    """
    settings = AuditSettings() if settings is None else settings
    table = as_table(predictions)
    columns = find_columns(
        table,
        age=age,
        predictions=[prediction] if isinstance(prediction, str) else prediction,
        attributes=attributes,
        image=image,
        identity=identity,
        age_std=age_std,
    )
    rows = read_rows(table, columns, settings.age_groups)
    warnings = row_warnings(rows.report, rows, settings) + floor_warnings(rows)
    models = []
    for name, model in rows.models.items():
        found = audit_rows(name, model, rows, settings)
        models.append(found)
        warnings += model_warnings(name, rows, model, found)
    return AuditResult(table.name, columns, settings, rows.report, tuple(warnings), tuple(models))


def audit_rows(name: str, model: ModelRows, rows: Rows, settings: AuditSettings) -> ModelAudit:
    """Return the audit of one model's predictions.

    Args:
        name: The model.
        model: Its predictions.
        rows: The rows that they belong to.
        settings: Options.
    """
    return _ModelAuditor(model, rows, settings).audit(name)


class _ModelAuditor:
    """Holds what the parts of a model's audit share: sums, replicates, settings."""

    def __init__(self, model: ModelRows, rows: Rows, settings: AuditSettings) -> None:
        self.model, self.rows, self.settings = model, rows, settings
        self.tables = {ALL: everyone(len(rows)), **rows.attributes}
        cells = gather({**self.tables, AGE_STEPS: age_steps(rows.ages)}, rows.units)
        self.steps = cells.attributes[AGE_STEPS]
        own = {name: cells.attributes[name] for name in self.tables}
        self.sample = replace(cells, attributes=own)
        self.attributes = {name: own[name] for name in rows.attributes}
        self.errors = self.sample.quantity(model.errors)
        self.signed = self.sample.quantity(model.signed)
        self.rng = numpy_rng(settings.seed, "audit", "bootstrap")
        self.measured = measure(
            self.errors,
            self.signed,
            self.sample,
            stds=rows.stds,
            replicates=settings.replicates,
            rng=self.rng,
        )
        self.crossing = Crossing(
            self.errors, self.signed, self.sample, settings.min_rows, settings.replicates
        )

    def audit(self, name: str) -> ModelAudit:
        rows, settings = self.rows, self.settings
        floors, average = self._floors(self.model.errors, "noise floor")
        signed_floors, signed_average = self._floors(self.model.signed, "signed noise floor")
        overall = self.measured.measures[ALL][0]
        draws = self.measured.error_draws, self.measured.signed_draws
        return ModelAudit(
            name=name,
            errors=overall,
            average_bias=AverageBias(
                bias=average_estimate(
                    self.errors, self.attributes, draws[0], self.sample, by_chance=average.by_chance
                ),
                signed_bias=average_estimate(
                    self.signed,
                    self.attributes,
                    draws[1],
                    self.sample,
                    by_chance=signed_average.by_chance,
                ),
                floor=average,
            ),
            attributes=tuple(
                self._attribute(own, floors[own], signed_floors[own]) for own in rows.attributes
            ),
            along_age=self.crossing.along_age(self.sample.attributes[ALL], self.steps, self.rng),
            intersections=self.crossing.intersections(self.attributes, self.rng),
            policy=audit_policy(
                rows.ages, self.model.predictions, self.tables, rows.units, settings
            ),
            claim=check_claim(settings.claimed_mae, overall.mae),
        )

    def _floors(self, values: Floats, purpose: str) -> tuple[dict[str, NoiseFloor], NoiseFloor]:
        rows, settings = self.rows, self.settings
        rng = numpy_rng(settings.seed, "audit", purpose)
        times = settings.permutations
        return noise_floors(values, rows.attributes, permutations=times, rng=rng, units=rows.units)

    def _attribute(self, name: str, floor: NoiseFloor, signed_floor: NoiseFloor) -> AttributeAudit:
        groups, errors, of_age = self.attributes[name], self.errors, name == AGE_GROUP
        draws = self.measured.error_draws[name]
        comparable = groups.means(errors.sums).min() > 0
        spreads = [BIAS, GAP, *([RATIO, GINI] if comparable else [])]
        bias, gap, *shares = spread_estimates(
            spreads, errors, groups, draws, self.sample, by_chance=floor.by_chance
        )
        signed = spread_estimates(
            [BIAS],
            self.signed,
            groups,
            self.measured.signed_draws[name],
            self.sample,
            by_chance=signed_floor.by_chance,
        )
        worst, best = self._extremes(groups)
        return AttributeAudit(
            name=name,
            groups=self._groups(name),
            bias=bias,
            signed_bias=signed[0],
            gap=gap,
            ratio=shares[0] if comparable else None,
            gini=shares[1] if comparable else None,
            worst=worst,
            best=best,
            floor=floor,
            signed_floor=signed_floor,
            pairs=pair_gaps(errors, groups, draws, self.sample),
            standardised=None if of_age else self._standardised(groups),
            along_age=() if of_age else self.crossing.along_age(groups, self.steps, self.rng),
        )

    def _standardised(self, groups: Groups) -> Standardised | None:
        return standardise(
            self.errors,
            groups,
            self.steps,
            self.sample,
            min_rows=self.settings.min_rows,
            replicates=self.settings.replicates,
            rng=self.rng,
        )

    def _extremes(self, groups: Groups) -> tuple[str, str]:
        """Return the worst and the best group, of those with enough rows where there are two."""
        means = groups.means(self.errors.sums)
        large = np.flatnonzero(groups.counts >= self.settings.min_rows)
        among = large if len(large) > 1 else np.arange(len(groups))
        worst, best = among[means[among].argmax()], among[means[among].argmin()]
        return groups.names[worst], groups.names[best]

    def _groups(self, name: str) -> tuple[GroupAudit, ...]:
        groups = self.attributes[name]
        ages = groups.means(self.sample.sums(self.rows.ages))
        sizes = group_units(groups, self.rows.units)
        needed = rows_to_resolve(self.errors, groups)
        return tuple(
            GroupAudit(
                name=group,
                units=int(sizes[i]),
                mean_age=float(ages[i]),
                errors=self.measured.measures[name][i],
                ranked=bool(groups.counts[i] >= self.settings.min_rows),
                rows_to_resolve=needed[i],
            )
            for i, group in enumerate(groups.names)
        )
