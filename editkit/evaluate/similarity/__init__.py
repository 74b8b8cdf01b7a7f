"""How alike two texts are, by models that read: none of them is the model that is edited.

An empty text is like nothing: it scores 0, even beside another one.
"""

from typing import Final

SIMILARITIES: Final = {
    "bertscore": "editkit.evaluate.similarity.bertscore:BertScore",
    "moverscore": "editkit.evaluate.similarity.moverscore:MoverScore",
    "bleurt": "editkit.evaluate.similarity.bleurt:Bleurt",
}
