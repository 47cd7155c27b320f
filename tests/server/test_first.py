def test_what_is_remembered_is_recalled(http):
    said = http.post("/v1/namespaces/team%2Fx/memories", json={"content": "We chose PostgreSQL."})
    assert said.status_code == 201 and said.json()["memory"]["namespace"] == "team/x"
    found = http.post("/v1/namespaces/team%2Fx/recall", json={"query": "PostgreSQL"})
    assert found.json()["hits"][0]["content"] == "We chose PostgreSQL."
