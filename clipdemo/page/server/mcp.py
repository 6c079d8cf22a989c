"""The page as an MCP server: what a tool is given passes the same check as any other request."""


def take_values_as_they_come() -> None:
    """Have Gradio's MCP server pass on the values of a call instead of reading files and data URLs
    itself: its client within the server could read any file on this machine."""
    from gradio.mcp import GradioMCPServer

    def passed_on(self: GradioMCPServer, value: dict, positions: list) -> dict:
        for name, given in value.items():
            if isinstance(given, dict | list):
                raise ValueError(f"{name} takes text: of a file, its address or a data URL.")
        return value

    GradioMCPServer.convert_strings_to_filedata = passed_on
