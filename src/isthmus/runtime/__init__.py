"""The gateway process: the only asyncio of the project. It carries out what the engine decides."""
