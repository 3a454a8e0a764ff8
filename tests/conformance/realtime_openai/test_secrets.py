"""PyPI openai fetches client keys and talks with them."""

import pytest
from conftest import KEY
from openai import APIStatusError, OpenAI
from test_realtime import Talk
from websockets.exceptions import InvalidStatus


def client_of(server, key):
    return OpenAI(api_key=key, base_url=server.url + "/v1", max_retries=0)


def test_a_client_key_opens_its_session(server):
    with client_of(server, KEY) as backend:
        made = backend.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={"type": "realtime", "model": "moving", "instructions": "Speak slowly."},
        )
    assert made.value.startswith("ek_")
    assert made.session.instructions == "Speak slowly."
    with client_of(server, made.value) as visitor:
        for _ in range(2):
            with visitor.realtime.connect(model="moving") as connection:
                talk = Talk(connection)
                created = talk.next()
                assert created.type == "session.created"
                assert created.session.id == made.session.id
                assert created.session.instructions == "Speak slowly."
        with visitor.realtime.connect(model="moving") as connection:
            talk = Talk(connection)
            connection.session.update(session={"type": "realtime", "instructions": "Faster."})
            error = talk.until("error")[-1].error
            assert (error.code, error.param) == ("field_not_allowed", "session.instructions")
            connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            talk.until("session.updated")


def test_wrong_keys_are_refused(server):
    for key in ("wrong", "ek_wrong"):
        with client_of(server, key) as wrong:
            with pytest.raises(APIStatusError) as refused:
                wrong.realtime.client_secrets.create()
            assert refused.value.status_code == 401
            with pytest.raises(InvalidStatus) as closed, wrong.realtime.connect(model="moving"):
                pass
            assert closed.value.response.status_code == 401
