"""Other gateways for language models: LiteLLM and Portkey, as their makers say to run them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from bench.measure import tree, wait_until_quiet
from bench.systems import CLIENT_HEADERS, Peer

KEY = "sk-bench"
AUTHORIZED = (*CLIENT_HEADERS, f"Authorization: Bearer {KEY}")

# Without the last setting a query in Anthropic's dialect goes to OpenAI's Responses API.
LITELLM_CONFIG = """\
model_list:
  - model_name: bench-1
    litellm_params:
      model: openai/bench-1
      api_base: http://127.0.0.1:{mock.port}/v1
      api_key: sk-provider
general_settings:
  master_key: {key}
litellm_settings:
  num_retries: 0
  use_chat_completions_url_for_anthropic_messages: true
"""


class SlowPeer(Peer):
    """A gateway that has more to do than to pass bytes on, and does some of it at rest."""

    rewrites = True
    slow = True

    def start(self) -> None:
        """Start it, and let it rest."""
        super().start()
        self.headers = AUTHORIZED
        self.pause()

    def pause(self) -> None:
        """Keep it from using the core while others are measured."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, and come to rest."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGCONT)
        wait_until_quiet(tree(self.process.pid))


class LiteLlm(SlowPeer):
    """LiteLLM's proxy with one worker and no database, so without accounting."""

    def read_version(self) -> str:
        """Return the version that is installed."""
        [found] = self.program.parent.parent.glob("lib/python*/site-packages/litellm-*.dist-info")
        return found.name.removeprefix("litellm-").removesuffix(".dist-info")

    def prepare(self) -> tuple[list[str], dict[str, str]]:
        """Write its configuration; return its command, and an environment without downloads."""
        config = self.folder / "litellm.yaml"
        config.write_text(LITELLM_CONFIG.format(mock=self.mock, key=KEY))
        command = [str(self.program), "--config", str(config), "--host", "127.0.0.1"]
        environment = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            "LITELLM_MODE": "PRODUCTION",
        }
        return [*command, "--port", str(self.port), "--num_workers", "1"], environment


class Portkey(SlowPeer):
    """Portkey's gateway: where to is said by headers, and keys are not checked."""

    def start(self) -> None:
        """Start it; the queries tell it where to go."""
        super().start()
        host = f"x-portkey-custom-host: http://127.0.0.1:{self.mock.port}/v1"
        self.headers = (*AUTHORIZED, "x-portkey-provider: openai", host)

    @property
    def _package(self) -> Path:
        return self.program / "node_modules" / "@portkey-ai" / "gateway"

    def read_version(self) -> str:
        """Return the version that is installed."""
        return str(json.loads((self._package / "package.json").read_text())["version"])

    def prepare(self) -> tuple[list[str], dict[str, str]]:
        """Return its command; it needs no configuration."""
        script = str(self._package / "build" / "start-server.js")
        command = ["node", script, f"--port={self.port}", "--headless"]
        return command, {"NODE_ENV": "production"}
