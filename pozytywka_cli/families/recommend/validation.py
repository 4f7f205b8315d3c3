"""Choose the variant that serves by the validation part: `popular`, unless another one is shown to be better."""

from pozytywka_cli import evaluation
from pozytywka_cli.evaluation import Champion
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import Skips, accuracies, blend_at, rankers
from pozytywka_cli.families.recommend.metrics import ACCURACY, CHOSEN_BY
from pozytywka_cli.families.recommend.models.model import BlendWeights
from pozytywka_cli.records import VALIDATION, Row


def choose(outcomes: Outcomes, run: TrainingRun, skips: Skips) -> tuple[Champion, BlendWeights | None]:
    """Choose among the run's variant, its rivals and `popular` on the validation part; without rivals the variant.

    The simplest one serves that no other is shown to be better than: first `popular`, then the rivals in their place if
    they are better, then the run's variant. Also return the weights of the blend, if it takes part; they are fitted to
    the validation part, where the blend is measured with weights that were fitted to other users.
    """
    competing, completion = dict.fromkeys((run.variant, *run.rivals)), skips.at(outcomes)
    blend = blend_at(outcomes, run, completion, stage="validate:") if "blend" in competing else None
    weights = None if blend is None else blend.weights
    if not run.rivals:
        return Champion(run.variant, [], []), weights
    rows = outcomes.users(new=True)
    fitted = {} if blend is None else {"blend": blend.measured, "als": blend.als}
    others = [one for one in (FAMILY.baseline, *competing) if one not in fitted]
    made = rankers(outcomes, run, completion, others, None) | fitted
    place = ACCURACY.index(CHOSEN_BY)
    values = {one: columns[:, place] for one, columns in accuracies(outcomes, made, rows, new=True).items()}
    means = {one: float(value.mean()) for one, value in values.items()}
    best, notes = FAMILY.baseline, list[str]()
    for challenger in (*run.rivals, run.variant):
        pair = {one: values[one] for one in (best, challenger)}
        found = evaluation.champion("recommend", CHOSEN_BY, pair, best, rows, score=True)
        kept = f"{best} serves in place of {challenger}, which is not shown to be better: on the validation part its "
        notes += found.notes or [f"{kept}{CHOSEN_BY} is {means[challenger]:.4g}, and {means[best]:.4g} of {best}"]
        best = found.variant
    shown = [Row("recommend", one, VALIDATION, CHOSEN_BY, mean) for one, mean in means.items()]
    return Champion(best, shown, notes), weights
