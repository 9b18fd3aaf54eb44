"""The web application. It holds no secret: what it knows was built into its bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.server import Server

if TYPE_CHECKING:
    import pulumi

    from components.configuration import Secrets
    from components.place import Place
    from model.settings import Settings


def build_args(settings: Settings, secrets: Secrets) -> dict[str, pulumi.Input[str]]:
    """What is frozen into the bundle at build time; the anon key is public by design."""
    return {
        "NEXT_PUBLIC_API_URL": settings.api_url,
        "NEXT_PUBLIC_SUPABASE_URL": settings.supabase.url,
        "NEXT_PUBLIC_SUPABASE_ANON_KEY": secrets["supabase-key"],
        "NEXT_PUBLIC_ENVIRONMENT": settings.cluster.namespace,
    }


class Frontend(Server):
    """The Deployment and Service `frontend`, after the backend that its page calls."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Output[str],
        backend: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        settings = place.settings
        super().__init__(
            name,
            place,
            settings.frontend,
            image=image,
            env=dict(settings.frontend.env),
            after=[backend],
            opts=opts,
        )
