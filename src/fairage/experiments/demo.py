"""The whole way on synthetic faces, offline: faces with a known bias, embeddings, a suite."""

from pathlib import Path

from fairage._files import read_json
from fairage.embeddings import EmbedOptions
from fairage.experiments.plan import RunOptions, SuiteOutcome
from fairage.experiments.recipe_files import shipped_recipes
from fairage.experiments.suite import run_suite
from fairage.faces_file import read_faces
from fairage.synthetic import GroupBias, synthesize

DEMO_BIASES = (GroupBias("ethnicity", "afroamerican", cue=0.4),)
EPOCHS, BATCH_SIZE = 20, 128


def run_demo(out: Path, *, faces: int = 5000, seeds: int = 3, workers: int = 1) -> SuiteOutcome:
    """Draw faces, embed them with the packaged net, run experiments 0 and 1, write the report.

    The recipes are the study's; to finish in two minutes on two cores they train with larger
    batches at a higher rate than the kit.

    Args:
        out: Folder for faces, embeddings, results and report.
        faces: How many faces are drawn.
        seeds: Runs of each recipe.
        workers: Processes.
    """
    table = synthesize(out / "faces", n=faces, biases=DEMO_BIASES, workers=workers)
    truth = read_json(table.parent / "truth.json")
    training = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "learning_rate": 1e-3}
    recipes = [
        recipe.model_copy(
            update={"training": recipe.training.model_copy(update=training), "published": None}
        )
        for recipe in shipped_recipes("published")
        if recipe.experiment in ("0", "1")
    ]
    embedding = EmbedOptions(backbones="embedded", store=out / "embeddings")
    return run_suite(
        recipes,
        read_faces(table),
        RunOptions(embedding, seeds=seeds, workers=workers),
        out,
        title="Demo on synthetic faces",
        truth=truth["summary"],
        faces_name=f"{faces} drawn faces, none of them a person",
    )
