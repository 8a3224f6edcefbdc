"""The table of servers names servers."""

from benchmarks.serve.servers import OURS, SERVERS, load


def test_every_name_in_the_table_is_a_server_that_says_how_it_is_set_up():
    servers = [load(name) for name in SERVERS]
    assert all(server.title and server.setup for server in servers)
    assert OURS in SERVERS
