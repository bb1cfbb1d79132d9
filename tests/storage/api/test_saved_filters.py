"""A saved filter in `q` means the same as the line it stands for."""


def ids(client, q):
    answer = client.get("/api/claude/requests", params={"q": q})
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["requests"]]


def test_a_name_stands_for_its_line(client, known, store):
    store.filters.save("mcp", "kind:mcp")
    assert ids(client, "@mcp") == ids(client, "kind:mcp") != []
    assert ids(client, "-@mcp") == ids(client, "-kind:mcp") != ids(client, "@mcp")
    insights = client.get("/api/claude/insights", params={"q": "@mcp"})
    assert insights.json() == client.get("/api/claude/insights", params={"q": "kind:mcp"}).json()


def test_an_unknown_name_is_explained(client, known):
    answer = client.get("/api/claude/requests", params={"q": "model:opus @nobody"})
    assert answer.status_code == 400
    assert "@nobody" in answer.json()["details"]
