import json
import time
from datetime import timedelta

import pytest
from celery.signals import before_task_publish
from django.db import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from cqops.platform.live.redis import client as redis_client
from cqops.platform.telemetry import backlog, status
from cqops.platform.telemetry.heartbeats import beat
from cqops.platform.telemetry.models import Heartbeat


@pytest.fixture
def healthy(db, settings, monkeypatch):
    settings.STATUS_PROVIDERS = {}
    monkeypatch.setattr(status, "_redis", lambda: status.Part(ok=True, detail="answers"))
    monkeypatch.setattr(status, "STARTED", timezone.now() - timedelta(hours=1))
    for process in settings.STATUS_PROCESSES:
        beat(process, "all well")


def test_everything_green_is_ok(healthy, client):
    answer = client.get("/statusz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["parts"]["feeds"]["detail"].startswith("all well; last heard")


def test_a_process_that_fell_silent_is_named(healthy, client):
    Heartbeat.objects.filter(process="reports").update(at=timezone.now() - timedelta(minutes=1))
    answer = client.get("/statusz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert [name for name, part in parts.items() if not part["ok"]] == ["reports"]
    assert "last heard 60 s ago" in parts["reports"]["detail"]


def test_a_heartbeat_from_before_this_start_proves_nothing(healthy, client, monkeypatch):
    monkeypatch.setattr(status, "STARTED", timezone.now() + timedelta(seconds=1))
    answer = client.get("/statusz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["worker"]["detail"] == "not heard since this start"


def test_a_process_that_works_to_no_effect_is_red_with_its_words(healthy, client):
    beat("feeds", "0 of 4 books live", is_well=False)
    answer = client.get("/statusz")
    assert answer.status_code == 503
    part = answer.json()["parts"]["feeds"]
    assert not part["ok"]
    assert part["detail"].startswith("0 of 4 books live; last heard")
    beat("feeds", "1 of 4 books live")
    assert client.get("/statusz").status_code == 200


def test_a_process_that_never_started_is_named(healthy, client):
    Heartbeat.objects.filter(process="beat").delete()
    assert client.get("/statusz").json()["parts"]["beat"]["detail"] == "has not started yet"


def test_redis_away_is_said_without_its_password(healthy, client, monkeypatch):
    def away():
        message = "redis://:hunter2@host"
        raise RedisConnectionError(message)

    monkeypatch.setattr(status, "_redis", away)
    answer = client.get("/statusz")
    assert answer.status_code == 503
    assert "hunter2" not in answer.text
    assert answer.json()["parts"]["redis"]["detail"] == "cannot be reached"


def test_alive_does_not_need_the_database(client):
    assert client.get("/healthz").status_code == 200


def test_pages_and_rest_say_that_the_database_is_away(db, client, monkeypatch):
    client.raise_request_exception = False

    def away(*args, **kwargs):
        message = "connection refused, password=hunter2"
        raise OperationalError(message)

    monkeypatch.setattr("cqops.platform.telemetry.views.everything", away)
    page = client.get("/statusz")
    assert page.status_code == 503
    assert page["Retry-After"] == "5"
    assert "hunter2" not in page.text


def test_every_answer_carries_a_request_id(client):
    assert len(client.get("/healthz")["X-Request-Id"]) == 32
    given = client.get("/healthz", headers={"x-request-id": "my-own-request-1"})
    assert given["X-Request-Id"] == "my-own-request-1"
    forged = client.get("/healthz", headers={"x-request-id": "bad id\tforged"})
    assert len(forged["X-Request-Id"]) == 32


class TestTheTaskQueue:
    @pytest.fixture
    def tasks(self):
        redis = redis_client()
        redis.delete("celery")
        yield lambda **headers: redis.lpush("celery", json.dumps({"headers": headers}))
        redis.delete("celery")

    def test_the_oldest_task_tells_how_long_it_has_waited(self, tasks):
        assert backlog.queue() == (True, "none waits for a worker")
        tasks(cqops_sent_at=time.time() - 5)
        tasks(cqops_sent_at=time.time())

        is_well, words = backlog.queue()
        assert is_well
        assert words.startswith("2 wait for a worker, the oldest 5.")

    def test_one_that_nobody_takes_is_late(self, tasks):
        tasks(cqops_sent_at=time.time() - 31)
        assert not backlog.queue()[0]

    def test_a_message_that_does_not_say_is_counted_and_no_failure(self, tasks):
        tasks(other="x")
        assert backlog.queue() == (True, "1 waits for a worker")

    def test_every_task_says_when_it_was_sent(self):
        headers = {}
        before_task_publish.send(sender="a.task", headers=headers)
        assert time.time() - headers["cqops_sent_at"] < 5
