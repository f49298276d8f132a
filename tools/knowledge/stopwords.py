"""English function words that carry no topic: left out of BM25 terms and of term coverage."""

from __future__ import annotations

ENGLISH_STOPWORDS = frozenset(
    """
    a about above after again against all also am an and any are as at be because been before being below between
    both but by can cannot could did do does doing done down during each either else ever every few for from further
    get gets getting give go goes going got had has have having he hello help her here hers herself hey hi him
    himself his how i if in into is it its itself just kindly know let like made make makes many may me might mine
    more most much must my myself need needs no nor not now of off on once one only or other our ours ourselves out
    over own please same say she should so some such tell than thank thanks that the their theirs them themselves
    then there these they this those through to too under until up upon us very want wants was we were what when
    where whether which while who whom whose why will with within without would yes you your yours yourself
    yourselves
    """.split()
)
