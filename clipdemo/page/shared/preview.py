"""Uploaded photos as JPEG, for formats that browsers cannot show, such as HEIC and TIFF."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clipdemo.errors import PhotoError
from clipdemo.inputs.images import read_photo
from clipdemo.page.server.uploads import Uploads
from clipdemo.page.shared.pictures import shrunk

SIDE = 1280  # pixels of the long side, at most


def preview(uploads: Uploads) -> Route:
    """GET /preview?path=…: a photo that was uploaded here, and no other file."""

    def answer(request: Request) -> Response:
        path = uploads.find(request.query_params.get("path", ""))
        try:
            if path is None:
                raise PhotoError("There is no such upload.")
            photo = read_photo(path, SIDE)
        except PhotoError as error:
            return Response(str(error), 404, media_type="text/plain")
        return Response(shrunk(photo, SIDE), 200, {"Cache-Control": "private"}, "image/jpeg")

    return Route("/preview", answer)
