"""Every sentence that an audit may say, as a pattern, and the name of what checks its numbers."""

import re

__all__ = ["COVERAGE_NAMES", "COVERAGE_PATTERNS", "NUMBER", "PATTERNS"]

NUMBER = "([+\N{MINUS SIGN}]?[\\d,]+(?:\\.\\d+)?)"
SHARE = r"(?:under )?([\d.]+)\u202f%"
SPAN = rf"{NUMBER} \({NUMBER} to {NUMBER}\) years"
FACES = (
    r"((?:all |All )faces|[A-Za-z][\w ]*? faces|[Ff]aces whose [\w ]+? is [\w ]+?"
    r"|[Ff]aces aged [\d+-]+|[Ff]aces of unknown [\w ]+?)"
)
GROUPS = "(the groups of [^:]+?|age groups)"
GAP = rf"the gap in (MAE|mean error)(?: between {FACES} and {FACES})?"
VALUES = rf"{NUMBER} and {NUMBER} years"
APART = rf"(at least|at most) {NUMBER} (years|points) apart"
MEANS = f"mean errors {VALUES}, {APART}"
OTHER_MEASURE = rf"(?:; their (MAE|mean errors), {VALUES}, are {APART})?\."
ROWS = rf"(?:; about {NUMBER} rows [^.;:]+?, all groups growing alike)?"
FLOOR = (
    rf"{NUMBER} corrected for noise; equal groups would show {NUMBER} on average and more than "
    rf"{NUMBER} once in forty times\."
)
NOT_PAIR = "look unequal, but no single pair can be distinguished"
NOTHING_TO_COMPARE = r"there is nothing to compare\."
SAME_AGE = "etween people of the same age"

GAPS = {
    rf"The MAE of {FACES} is {NUMBER} years, that of {FACES} {NUMBER} years, {APART}": "mae",
    rf"{FACES} are estimated too old, {FACES} too young: {MEANS}": "both_sides",
    rf"{FACES} are estimated too old by more than {FACES}: {MEANS}": "too_old",
    rf"{FACES} are estimated too young by more than {FACES}: {MEANS}": "too_young",
    rf"{FACES} are estimated older than {FACES}, each beside the true age: {MEANS}": "older",
}
VERDICTS = {
    rf"No gap in MAE or mean error between {GROUPS} is larger than {NUMBER} years"
    r"( among faces with an estimate)?\.": "within",
    rf"These rows cannot tell whether {GROUPS} differ: gaps up to {NUMBER} years are possible"
    rf"{ROWS}\.": "cannot_tell",
    rf"These rows cannot tell whether {GROUPS} differ: (?:among faces with an estimate gaps are "
    rf"at most {NUMBER} years, but )?estimates are missing more often in one group than in "
    r"another\.": "failing",
    r"Groups (?:also )?differ by (.+?(?:\)|attributes?))\.": "also",
    r"([A-Z][^.:]*?) (?:has|have) fewer than two groups with enough faces: "
    + NOTHING_TO_COMPARE: "fewer",
    "(Fewer than two age groups) have enough faces: " + NOTHING_TO_COMPARE: "fewer",
    r"Not judged, being too small or unknown: ([^:.]+)\.": "left_out",
    rf"{FACES} have the worst MAE, {SPAN}: it differs from all others\.": "worst",
    rf"The largest measured MAE is that of {FACES}, {SPAN}: too close to that of another group to "
    r"be called the worst\.": "largest",
    r"(\d+|None) of (\d+) pairs of groups (?:differs?|can be said to differ)(?:: [^.:]+)?\.": (
        "pairs"
    ),
}
AGES = {
    rf"(Part of|Who is older hides part of) {GAP} \(at least {NUMBER} years\)"
    r"(?: comes from who is older)?\.": "explained",
    rf"B{SAME_AGE} (?:it|{GAP}) is at least {NUMBER} years\.": "remains",
    rf"B{SAME_AGE} (?:it|{GAP}) is the other way round, by at least {NUMBER} years\.": "turned",
    rf"These rows cannot tell whether (?:it|{GAP}) is there b{SAME_AGE}\.": "not_known",
    rf"The ages of the two groups hardly overlap: these rows cannot tell how much of {GAP} comes "
    r"from who is older\.": "no_overlap",
    rf"Whether {GAP} comes from who is older is not known\.": "no_adjustment",
    rf"B{SAME_AGE} the (MAE|mean error) of {FACES} is larger than that of {FACES} by at least "
    rf"{NUMBER} years\.": "hidden",
    r"The ages of these groups hardly overlap: they cannot be compared at the same age\.": (
        "none_usable"
    ),
    rf"These rows cannot tell whether these groups differ b{SAME_AGE}\.": "none_hidden",
    r"Fewer than two groups have enough faces to be compared at the same age\.": "one_group",
}
BIASES = {
    rf"The bias by ([^:]+?) is {SPAN}, {FLOOR}": "bias",
    rf"Of mean errors the bias is {SPAN}\.": "mean_error_bias",
    rf"Together the groups {NOT_PAIR} by MAE\.": "together",
    rf"Together the mean errors of the groups {NOT_PAIR} by them\.": "together_mean",
    rf"The average bias over attributes is {SPAN}, {FLOOR}": "average",
    rf"Together the groups {NOT_PAIR}\.": "average_together",
    r"Groups of ([^.:]+) differ in MAE, so (?:this bias is|these biases are) above 0\.": "above",
    rf"Together the groups of ([^.:]+) {NOT_PAIR}\.": "caption_together",
    r"By ([^.:]+) the bias is such as equal groups may show: it may be 0\.": "not_above",
    r"Fewer than two groups have enough faces for a bias\.": "no_bias",
}
RATES = {
    rf"There is no estimate for {SHARE} of {FACES} and {SHARE} of {FACES}, at least {NUMBER} "
    r"points apart\.": "uneven",
    rf"No gap in ([^:]+?) between the groups of ([^:]+?) is larger than {NUMBER} points\.": (
        "rate_within"
    ),
    rf"These rows cannot tell whether ([^:]+?) differs between the groups of ([^:]+?): gaps up to "
    rf"{NUMBER} points are possible{ROWS}\.": "rate_open",
    r"Fewer than two groups of ([^:]+?) have enough faces to compare ([^.]+)\.": "rate_fewer",
    rf"(?:Under|Of) [\d.]+(?: or older)?, {SHARE} of {FACES} and {SHARE} of {FACES} "
    rf"(pass|do not pass), at least {NUMBER} points apart\.": "check_differs",
    rf"{SHARE} of [\d,]+ faces? have no estimate \([^)]*\)(?:: [^.]+)?\.": "failure_rate",
    rf"If each face without an estimate had the P90 error of its group, the MAE would be {NUMBER}"
    rf"(?: to {NUMBER})? years,?(?: by the attribute taken,)? instead of {NUMBER}\.": "withheld",
    r"No threshold can be named at which [^:]+ pass in every group with enough of them\.": (
        "no_threshold"
    ),
    rf"At most {SHARE} of those under [\d.]+ pass in every group with enough of them from a "
    rf"threshold of {NUMBER} years, which {FACES} need\.": "threshold",
    rf"This rests on {NUMBER} (?:faces?|persons?) under [\d.]+ in that group: the rate (could "
    rf"still be up to|is at most) {SHARE}(?: there)?\.": "rests",
}
RANGES = {
    rf"(?:True ages|[\d,]+ true ages) are ranges: the MAE lies between {NUMBER} and {NUMBER} "
    r"years\.": "bounds",
    rf"(?:True ages|[\d,]+ true ages) are ranges, some without an end: the MAE is at least "
    rf"{NUMBER} years\.": "bounds",
}
SAY_NOTHING_OF_GAPS = (
    r"Estimates are ranges(?:, [\d.]+ years wide on average)?: [\d.]+\u202f% of the true ages lie "
    r"inside\.",
    r"The estimate is a range in [\d,]+ rows?; errors take its middle\.",
    r"[\d.]+\u202f% \([^)]*\) of the true ages lie inside(?:; the ranges are [^;]+ years wide on "
    r"average)?(?:; the true age is [^;]+ years outside on average)?\.",
    r"The true age is a range in [\d,]+ rows?; errors and verdicts take its middle\.",
    r"With the nearest age of each range the MAE is [\d.]+ \([^)]*\) years(?:; nothing bounds it "
    r"above, as some ranges have no end|, with the farthest [\d.]+ \([^)]*\))\.",
    r"[\d.]+\u202f% \([^)]*\) of the estimates lie inside the range of the true age\.",
    r"Ranges [a-z ]+: [\d,]+ rows?\.",
    r"As a check for [^;]+; [^;]+? (?:do not|of [\d.]+ or older)\.",
    r"[\d,]+ ranges? of true age lies? on both sides of [\d.]+ and so in neither rate\.",
    r"Then [^;:]+? of those of [\d.]+ or older do not pass\.",
    r"An MAE of [\d.]+ years was published; .*$",
    r"Groups with fewer than [^;]+; gaps of less than [^;]+ count as none in practice\.",
    r"The tables hold \d+ more attributes?\.",
    r"Too few ages have ten faces or more\.",
    r"In bands of five years with ten faces or more, [^;:]*\.$",
)
HELD = (
    r"The interval of the estimate holds the true age of (?P<share>[\d.]+)\u202f% of "
    r"(?P<faces>[\d,]+) faces?(?: of (?P<persons>[\d,]+) persons?)? "
    r"\((?P<low>[\d.]+) to (?P<high>[\d.]+)\)"
)
NOT_HELD = (
    r"Whether the interval of the estimate holds the true age of (?P<faces>[\d,]+) faces?"
    r"(?: of (?P<persons>[\d,]+) persons?)? is not known"
)
NO_LEVEL = "; how many it promises to hold is not known: --level says so\\."
PROMISED = r"; (?P<level>[\d.]+)\u202f% were promised: "
BY = r"by at least (?P<by>[\d.]+) points"
UP_TO = r"up to (?P<less>[\d.]+) points less or (?P<more>[\d.]+) points more"
TELLS_NOT = rf"these rows cannot tell whether the promise is kept, {UP_TO} are possible\."
WIDE = (
    r"The intervals are (?P<mean>[\d.,]+)(?: \((?P<low>[\d.,]+) to (?P<high>[\d.,]+)\))? years "
    "wide on average"
)
OPEN = (
    r", without (?P<open>[\d,]+) intervals? of (?P<faces>[\d,]+) with an open end; the median "
    "width, in which these are the widest, "
)
LIST = r"(?P<groups>.+?(?:\)| other groups))"
SURE = (
    r"\(95\u202f% confidence, (?:one group judged|all (?P<judged>[\d,]+) groups at once by "
    r"Bonferroni's correction)\)\."
)
COVERAGE = {
    HELD + NO_LEVEL: "no_level",
    rf"{HELD}{PROMISED}it falls short, {BY}\.": "short",
    rf"{HELD}{PROMISED}it holds more, {BY}\.": "above",
    rf"{HELD}{PROMISED}that is within (?P<margin>[\d.]+) points of the promise\.": "near",
    HELD + PROMISED + TELLS_NOT: "unsure",
    NOT_HELD + NO_LEVEL: "no_share_no_level",
    NOT_HELD + PROMISED + TELLS_NOT: "no_share",
    r"No interval has both ends\.": "no_width",
    WIDE + r", (?P<median>[\d.,]+) in the median\.": "width",
    WIDE + OPEN + r"is (?P<median>[\d.,]+) years\.": "width_of_some",
    WIDE + OPEN + r"has no end\.": "width_without_median",
    r"(?P<n>[\d,]+) estimates? (?P<verb>has|have) no interval and (?P=verb) no part in this\.": (
        "without"
    ),
    r"Of (?P<n>[\d,]+) faces? the true age is a range that lies partly inside the interval: this "
    r"cannot be told, and the limits allow for both\.": "undecided",
    rf"It falls short for no group for certain {SURE}": "none_short",
    rf"It falls short for {LIST} {SURE}": "all_short",
    rf"It holds more than promised for {LIST}\.": "all_above",
    rf"It is within (?P<margin>[\d.]+) points of the promise for {LIST}\.": "all_near",
    rf"These rows cannot tell whether the promise is kept for {LIST}\.": "all_unsure",
    r"Not judged, being too small or unknown: (?P<groups>[^:.]+)\.": "not_judged",
}
COVERAGE_PATTERNS = [(re.compile(text), f"coverage_{name}") for text, name in COVERAGE.items()]
COVERAGE_FORMS = {"one group judged", "other groups", "other groups not judged"}
COVERAGE_NAMES = {name for _, name in COVERAGE_PATTERNS} | COVERAGE_FORMS
PATTERNS = [
    *((re.compile(text + OTHER_MEASURE), name) for text, name in GAPS.items()),
    *(
        (re.compile(text), name)
        for part in (VERDICTS, AGES, BIASES, RATES, RANGES)
        for text, name in part.items()
    ),
    *((re.compile(text), "nothing") for text in SAY_NOTHING_OF_GAPS),
]
