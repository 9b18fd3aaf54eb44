"""The one base of all components: a type token made of the class's name, and how children are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Sequence


class Component(pulumi.ComponentResource):
    """A component of type `orka:index:<Class>`.

    Its children take `self.child`, never the caller's options: merging those would hand the caller's aliases
    to every child. Renaming a class changes the token, so it needs an alias.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"orka:index:{type(self).__name__}", name, None, opts)

    @property
    def child(self) -> pulumi.ResourceOptions:
        """The options of a child that needs none of its own."""
        return pulumi.ResourceOptions(parent=self)

    def child_after(
        self, *resources: pulumi.Resource, seconds: int | None = None, left_alone: Sequence[str] = ()
    ) -> pulumi.ResourceOptions:
        """The options of a child that waits for others and may take `seconds` to become ready.

        The fields `left_alone` are given when it is made, and are the cluster's to change afterwards.
        """
        limits = None
        if seconds is not None:
            limits = pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s", delete="5m")
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=list(resources),
            custom_timeouts=limits,
            ignore_changes=list(left_alone),
        )
