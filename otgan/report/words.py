"""Explanations of the terms on pages, for people who know none of the papers."""

from __future__ import annotations

import re

__all__ = ["WORDS", "explained"]

WORDS = {
    "W1": "the Wasserstein distance: the mean way that mass has to go to make one distribution of the other",
    "JS": "the Jensen-Shannon divergence: 0 for equal distributions, log 2 for all that do not overlap",
    "KL": "the Kullback-Leibler divergence: infinite where one distribution has mass and the other none",
    "TV": "the total variation distance: the share of the mass that does not overlap",
    "D": "a discriminator: the probability with which it takes a point for a real one",
    "D*": "the best possible discriminator",
    "critic": "a function whose mean over real samples less that over generated ones is to be W1",
    "Lipschitz": "1-Lipschitz functions are nowhere steeper than 1; W1 is defined by them",
    "clip": "weight clipping: after each step the critic's weights are cut to a small range, which bounds its slope "
    "(Arjovsky, Chintala & Bottou 2017)",
    "gp": "gradient penalty: the critic's loss grows as its slope leaves 1 (Gulrajani et al. 2017)",
    "orthogonal": "a critic of layers that keep lengths, so that its slope cannot pass 1 (Anil, Lucas & Grosse 2019)",
    "minimax": "the first GAN's loss: the generator lowers log(1 - D) of its samples (Goodfellow et al. 2014)",
    "-log D": "the generator lowers -log D of its samples instead, whose gradient is larger while D rejects them",
    "non-saturating": "the first GAN with the generator's loss -log D (Goodfellow et al. 2014)",
    "wgan": "a critic with clipped weights: they are cut to a small range after each step, which bounds its slope "
    "(Arjovsky, Chintala & Bottou 2017)",
    "wgan-gp": "a critic with a gradient penalty: its loss grows as its slope leaves 1 (Gulrajani et al. 2017)",
    "wgan-lp": "a critic whose loss grows only where its slope is above 1 (Petzka, Fischer & Lukovnikov 2018)",
    "wgan-lipschitz": "a critic whose slope cannot pass 1, by the way its layers are made",
    "r3gan": "real and generated samples are judged in pairs, with a penalty on the slope at both (Huang et al. 2024)",
    "batch norm": "layers that bring what they are given to mean 0 and variance 1 over the batch",
    "momentum": "how much of the last steps' direction the next step keeps",
    "mlp": "networks of dense layers",
    "resnet": "convolutional networks with connections that skip layers",
    "class score": "how surely a classifier names the samples, and how evenly the classes come: at most their number",
    "modes": "the clusters of a mixture, or the classes of digits",
    "floor": "the same number for real samples that were trained on: what a perfect generator would have",
    "cosine": "of two directions: 1 is the same one, 0 no relation",
    "rank correlation": "1 where two numbers always rise and fall together, 0 for no relation, -1 for the opposite",
    "potential": "a function that solves the dual problem of optimal transport: a perfect critic",
    "quick": "smaller settings than the paper's",
}


def explained(text: str) -> dict[str, str]:
    """The words of :data:`WORDS` that a text holds, and what they mean.

    Examples
    --------
    >>> list(explained("gp: cosine with W1; wgan-gp is another word"))
    ['W1', 'gp', 'wgan-gp', 'cosine']
    """
    return {word: meaning for word, meaning in WORDS.items() if _holds(text, word)}


def _holds(text: str, word: str) -> bool:
    end = r"(?![\w*-])" if word == "D" else r"(?![\w-])"
    return re.search(rf"(?<![\w-]){re.escape(word)}s?{end}", text) is not None
