"""The names of AutoGen's 0.2 API that the adapter is built on, or an error that says what to install."""

from remanence.errors import MissingExtraError

_INSTALL = 'the 0.2 API of AutoGen is needed: pip install "autogen[openai]>=0.14,<1"'
try:
    from autogen import (
        Agent,
        ChatResult,
        ConversableAgent,
        GroupChat,
        GroupChatManager,
        UserProxyAgent,
        register_function,
    )
    from autogen.agentchat.contrib.capabilities.agent_capability import AgentCapability
except ImportError as error:
    raise MissingExtraError(_INSTALL) from error
if not hasattr(ConversableAgent, "register_hook"):
    raise MissingExtraError(f"this `autogen` has no hooks; {_INSTALL}")

__all__ = [
    "Agent",
    "AgentCapability",
    "ChatResult",
    "ConversableAgent",
    "GroupChat",
    "GroupChatManager",
    "UserProxyAgent",
    "register_function",
]
