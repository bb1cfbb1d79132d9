import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.hosts import CLAUDE_HOSTS, HostKind, host_kind, intercept_patterns, is_claude_call, is_claude_host


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("api.anthropic.com", HostKind.OWN),
        ("API.Anthropic.com", HostKind.OWN),
        ("api.anthropic.com.", HostKind.OWN),
        ("claude.ai", HostKind.OWN),
        ("a.b.claude.ai", HostKind.OWN),
        ("bedrock-runtime.us-east-1.amazonaws.com", HostKind.BEDROCK),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", HostKind.BEDROCK),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", HostKind.BEDROCK),
        ("vpce-0ab1-x.bedrock-runtime.eu-west-1.vpce.amazonaws.com", HostKind.BEDROCK),
        ("bedrock-runtime.us-east-1.api.aws", HostKind.BEDROCK),
        ("us-east5-aiplatform.googleapis.com", HostKind.VERTEX),
        ("aiplatform.googleapis.com", HostKind.VERTEX),
        ("aiplatform.us.rep.googleapis.com", HostKind.VERTEX),
        ("anthropic.com", None),
        ("api.anthropic.com.evil.example", None),
        ("xapi.anthropic.com", None),
        ("notclaude.ai", None),
        ("bedrock.us-east-1.amazonaws.com", None),
        ("s3.us-east-1.amazonaws.com", None),
        ("storage.googleapis.com", None),
        ("evil-aiplatform.googleapis.com.example", None),
        ("", None),
    ],
)
def test_hosts(host: str, kind: HostKind | None) -> None:
    assert host_kind(host) is kind
    assert is_claude_host(host) == (kind is not None)
    assert any(re.search(pattern, f"{host}:443", re.IGNORECASE) for pattern in intercept_patterns()) == (kind is not None)


@pytest.mark.parametrize(
    ("host", "path", "is_claude"),
    [
        ("api.anthropic.com", "/v1/messages", True),
        ("api.anthropic.com", "/api/hello", True),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/us.anthropic.claude-opus-4-1/invoke-with-response-stream", True),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/meta.llama3-70b/invoke", False),
        (
            "bedrock-runtime.us-east-1.amazonaws.com",
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fx/invoke",
            True,
        ),
        ("us-east5-aiplatform.googleapis.com", "/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict", True),
        ("us-east5-aiplatform.googleapis.com", "/v1/projects/p/locations/l/publishers/google/models/gemini:predict", False),
        ("gateway.example", "/anything", True),
        ("a.corp.example", "/anything", True),
        ("corp.example", "/anything", False),
        ("other.example", "/v1/messages", False),
    ],
)
def test_calls(host: str, path: str, is_claude: bool) -> None:
    assert is_claude_call(host, path, ("gateway.example", "*.corp.example")) is is_claude


@pytest.mark.parametrize("name", ["gateway.example", "https://Gateway.example/v1", "gateway.example:8443", " gateway.example "])
def test_extra_hosts_are_taken_as_they_are_typed(name: str) -> None:
    assert is_claude_host("gateway.example", (name,))
    assert not is_claude_host("gatewayXexample", (name,))


@given(st.from_regex(r"[a-z0-9.-]{1,40}", fullmatch=True))
def test_the_two_ways_of_asking_agree(host: str) -> None:
    found = any(re.search(pattern, f"{host}:443") for pattern in intercept_patterns())
    assert found == is_claude_host(host)


def test_every_entry_says_where_it_comes_from() -> None:
    assert all(re.search(r"20\d\d-\d\d$", hosts.source) for hosts in CLAUDE_HOSTS)
