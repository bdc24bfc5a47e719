"""What every term of a report means; each is explained where a report first uses it."""

from dataclasses import dataclass, field

__all__ = ["TERMS", "Glossary", "Term"]


@dataclass(frozen=True)
class Term:
    """A word and its explanation for a reader who has never met it."""

    name: str
    meaning: str


TERMS: dict[str, Term] = {
    "mae": Term(
        "MAE",
        "mean absolute error: by how many years an estimate is off, on average. Lower is better.",
    ),
    "attribute": Term(
        "Attribute",
        "a trait that faces are sorted by, such as gender; its values are its groups. Age groups "
        "are made from the true age.",
    ),
    "group_error": Term("Group error", "the MAE of one group's faces alone."),
    "bias": Term(
        "Bias of an attribute",
        "how far apart the group errors of an attribute are: the difference between two groups, "
        "averaged over all pairs of groups. 0 means that all groups are served equally well.",
    ),
    "average_bias": Term("Average bias", "the mean of the biases of all attributes."),
    "noise_floor": Term(
        "Noise floor",
        "the bias that chance alone would give: what is left when group labels are shuffled "
        "among the faces. Small groups make it large. Only what exceeds it tells anything.",
    ),
    "seed": Term(
        "Seed",
        "the start of the random numbers. The same version is trained with several, to see how "
        "much of a difference is luck.",
    ),
    "spread": Term("±", "standard deviation over seeds."),
    "baseline": Term(
        "Baseline",
        "the version that others are held against: the one without any mitigation, or else the "
        "first.",
    ),
    "weights": Term(
        "Weights",
        "how much each training face counts; versions give rare groups a larger weight.",
    ),
    "front": Term(
        "Pareto front",
        "the versions that no other version beats on both accuracy and fairness.",
    ),
    "trial_front": Term(
        "Pareto front",
        "the trials that no other trial beats on both accuracy and fairness.",
    ),
    "interval": Term(
        "95 % interval",
        "where the number would lie in most other samples of such faces. Two numbers whose "
        "intervals hardly overlap differ in earnest.",
    ),
    "signed_error": Term(
        "Signed error",
        "the mean of estimate less truth. Below 0: estimated too young; above 0: too old.",
    ),
    "excess": Term("Excess", "the bias less its noise floor: what chance does not explain."),
    "p_value": Term(
        "p",
        "how often shuffled labels give as much bias as measured, corrected for looking at "
        "several attributes (Holm). Below 0.05 counts as beyond chance.",
    ),
    "widest_gap": Term("Widest gap", "error of the worst group less that of the best."),
    "ratio": Term("Ratio", "error of the worst group over that of the best; 1 is even."),
    "gini": Term("Gini", "inequality of the group errors from 0 (all alike) to 1."),
    "signed_bias": Term("Signed bias", "the same as bias, made of signed errors."),
    "age_mix": Term(
        "At one age mix",
        "group errors as they would be if every group had the ages of all faces together, so that "
        "no gap comes from one group being older than another.",
    ),
    "resolve": Term(
        "Faces needed",
        "faces of the group that it takes to find a gap of half a year in four samples of five.",
    ),
    "cell": Term("Cell", "the faces that share a group of each of two attributes."),
    "threshold": Term(
        "Threshold",
        "estimated age from which a person passes without showing a document (“challenge 25”).",
    ),
    "false_positive": Term(
        "Passes wrongly", "a person below the legal age who is estimated at the threshold or older."
    ),
    "challenged": Term(
        "Challenged",
        "a person of legal age who is estimated below the threshold and has to show a document.",
    ),
    "difference": Term(
        "Difference", "the second model less the first: below 0, the second is better."
    ),
    "levelling": Term(
        "Levelling",
        "a bias falls either because a worse-served group improves (up) or because a better-served "
        "group gets worse (down).",
    ),
}


@dataclass
class Glossary:
    """Hands out each explanation once, so that a page explains a term at its first use.

    Examples:
        >>> glossary = Glossary()
        >>> [term.name for term in glossary.explain("mae", "bias")]
        ['MAE', 'Bias of an attribute']
        >>> glossary.explain("mae")
        []
    """

    used: set[str] = field(default_factory=set)

    def explain(self, *keys: str) -> list[Term]:
        """Return those of the terms that have not been explained yet."""
        new = [key for key in keys if key not in self.used]
        self.used.update(new)
        return [TERMS[key] for key in new]
