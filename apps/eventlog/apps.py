from django.apps import AppConfig


class EventLogConfig(AppConfig):
    name = "apps.eventlog"
    label = "eventlog"
    verbose_name = "Event log"
