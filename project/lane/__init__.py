"""The fast lane: a product that many ask for is answered before Django is.

A WSGI layer of its own around Django, wired in by one line of ``project/wsgi.py`` and off by
``FAST_LANE=0``. ``gate`` says which requests it may answer, ``products`` knows the answers,
``headers`` learns from Django what stands around them, ``tallies`` counts what Django would have
counted. Everything else passes by unchanged.
"""

from django.conf import settings

from apps.common.rest.body import Application


def with_fast_lane(application: Application) -> Application:
    """``application`` behind the lane, or itself where ``FAST_LANE`` is off.

    To be called when Django is set up.
    """
    if not settings.FAST_LANE:
        return application
    from project.lane.lane import FastLane  # it needs the apps, this module must not

    return FastLane(application)
