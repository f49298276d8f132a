"""Pairs of common English opposites, by stem: a question about one is not answered by a sentence about the other."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from tools.knowledge.words import stem

_PAIRS = """
    above-below accept-refuse accept-reject add-remove added-removed advantage-disadvantage agree-disagree
    agree-refuse allow-ban allow-forbid allow-prevent allow-prohibit ally-rival ancient-modern appear-disappear
    arrival-departure arrive-depart arrive-leave ascend-descend asset-liability attack-defend attract-repel
    avoid-seek before-after begin-end best-worst better-worse big-small biggest-smallest birth-death born-died
    build-demolish build-destroy buy-sell catholic-protestant cause-prevent cheap-expensive close-open closed-open
    cold-hot common-rare common-unusual complex-simple conceal-reveal connect-disconnect continue-cease
    continue-stop conventional-unconventional create-destroy credit-debit decline-growth decline-increase
    decline-rise declined-accepted declined-grew decrease-increase deep-shallow denied-approved deny-admit
    deny-confirm deny-grant dependent-independent deposit-withdraw deposit-withdrawal despite-because difficult-easy
    disable-enable discouraged-encouraged discover-conceal dislike-like disliked-liked domestic-foreign
    earlier-later earliest-latest early-late east-west eastern-western employer-employee encourage-discourage
    ended-began enemy-ally enemy-friend enter-leave entrance-exit exclude-admit expand-contract expand-reduce
    export-import fast-slow favor-oppose favored-opposed favour-oppose fewer-more first-last fixed-variable
    formal-informal former-latter forward-backward found-lost free-charged full-empty future-past gain-lose
    gained-lost general-specific give-receive give-take good-bad grow-shrink guilty-innocent hard-easy hard-soft
    heavy-light help-hinder hide-reveal high-low higher-lower highest-lowest hire-fire ignore-consider
    improve-worsen inactive-active include-exclude included-excluded incorrect-correct increase-reduce
    inside-outside internal-external join-leave junior-senior keep-abandon kept-abandoned kind-cruel lack-have
    large-small largest-smallest leader-follower least-most left-right legal-illegal lend-borrow less-more
    likely-unlikely literate-illiterate local-foreign long-short longer-shorter longest-shortest loss-gain
    loss-profit love-hate major-minor majority-minority male-female man-woman many-few maximum-minimum men-women
    mild-severe mobile-stationary natural-artificial near-far never-always new-old newest-oldest night-day
    nobody-everybody none-all none-some north-south northern-southern obey-disobey offline-online old-young
    older-younger oldest-youngest opponent-supporter oppose-support opposed-supported optional-mandatory
    parent-child passive-active peace-war permanent-temporary permit-prohibit poor-rich popular-unpopular
    positive-negative possible-impossible praise-criticize praised-criticized present-absent prevent-enable
    previous-next prior-following private-public protect-harm pull-push pure-mixed quick-slow raise-lower
    refuse-allow regular-irregular reject-approve remain-leave retain-lose retreat-advance rise-drop rise-fall
    rose-fell rural-urban safe-dangerous same-different save-spend send-receive separate-together servant-master
    similar-different single-married single-multiple stable-unstable start-end start-finish start-stop stay-leave
    stopped-began stopped-continued strengthen-weaken strict-lenient strong-weak stronger-weaker succeed-fail
    success-failure superior-inferior surrender-resist teacher-student thick-thin tighten-loosen top-bottom
    transparent-opaque true-false under-over unify-split unite-divide united-divided up-down upper-lower
    useful-useless valid-invalid vertical-horizontal victory-defeat visible-invisible voluntary-compulsory
    weakness-strength wealthy-poor wide-narrow win-lose within-outside without-with won-lost wrong-right yes-no
    youth-age
"""
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "mis", "de", "re", "anti", "under", "over")
_NO_OPPOSITES: frozenset[str] = frozenset()


def opposites(word_stem: str) -> frozenset[str]:
    """The stems that are listed as opposites of a stem."""
    return _table().get(word_stem, _NO_OPPOSITES)


def has_prefixed_opposite(word: str, stems: Collection[str]) -> bool:
    """Whether `stems` hold the word with a reversing prefix more or less: "fair" for "unfair" and the other way."""
    return any(
        stem(prefix + word) in stems
        or (word.startswith(prefix) and len(word) > len(prefix) + 2 and stem(word[len(prefix) :]) in stems)
        for prefix in _PREFIXES
    )


@cache
def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _PAIRS.split():
        left, right = (stem(word) for word in pair.split("-"))
        found.setdefault(left, set()).add(right)
        found.setdefault(right, set()).add(left)
    return {word: frozenset(others) for word, others in found.items()}
