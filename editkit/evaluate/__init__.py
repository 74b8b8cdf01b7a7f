"""What the model says -> Scores: every metric is a pure function of before and after observations."""

from typing import Final

METRICS: Final = {
    "efficacy": "editkit.evaluate.efficacy:EFFICACY",
    "generalization": "editkit.evaluate.efficacy:GENERALIZATION",
    "counterfactual": "editkit.evaluate.counterfactual:COUNTERFACTUAL",
    "locality": "editkit.evaluate.locality:LOCALITY",
    "drift": "editkit.evaluate.drift:DRIFT",
    "bleu": "editkit.evaluate.wording:BLEU",
    "rouge_1": "editkit.evaluate.wording:ROUGE_1",
    "rouge_2": "editkit.evaluate.wording:ROUGE_2",
    "rouge_l": "editkit.evaluate.wording:ROUGE_L",
    "bertscore": "editkit.evaluate.wording:BERTSCORE",
    "reference_bleu": "editkit.evaluate.wording:REFERENCE_BLEU",
    "reference_rouge_1": "editkit.evaluate.wording:REFERENCE_ROUGE_1",
    "reference_rouge_2": "editkit.evaluate.wording:REFERENCE_ROUGE_2",
    "reference_rouge_l": "editkit.evaluate.wording:REFERENCE_ROUGE_L",
    "reference_bertscore": "editkit.evaluate.wording:REFERENCE_BERTSCORE",
    "perplexity": "editkit.evaluate.perplexity:PERPLEXITY",
    "perplexity_ratio": "editkit.evaluate.perplexity:PERPLEXITY_RATIO",
    "ngram_entropy": "editkit.evaluate.fluency:NGRAM_ENTROPY",
    "repetition": "editkit.evaluate.fluency:REPETITION",
    "efficacy_paraphrase": "editkit.evaluate.probes:EFFICACY_PARAPHRASE",
    "efficacy_negation": "editkit.evaluate.probes:EFFICACY_NEGATION",
    "efficacy_image_text": "editkit.evaluate.probes:EFFICACY_IMAGE_TEXT",
    "locality_image_text": "editkit.evaluate.probes:LOCALITY_IMAGE_TEXT",
    "efficacy_text_only": "editkit.evaluate.probes:EFFICACY_TEXT_ONLY",
    "locality_text_only": "editkit.evaluate.probes:LOCALITY_TEXT_ONLY",
    "efficacy_image_only": "editkit.evaluate.probes:EFFICACY_IMAGE_ONLY",
    "locality_image_only": "editkit.evaluate.probes:LOCALITY_IMAGE_ONLY",
}
