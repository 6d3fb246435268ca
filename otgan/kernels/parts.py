"""How kernels are put together from the functions that they call.

Numba makes machine code of every function by itself, with a way in from Python, and again wherever another one calls
it: optimised anew, with all that it calls, at every step up to the kernel that Python calls. Here a function that a
kernel calls is typed and lowered to LLVM's code, and no more. The kernel takes all of that in and is optimised once,
as a whole. That is half of the time that compiling took.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from numba import _dynfunc  # pyright: ignore[reportAttributeAccessIssue] - compiled
from numba.core import compiler, typed_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_machinery import register_pass
from numba.core.environment import lookup_environment

__all__ = ["PartCompiler", "WholeCompiler"]

ENVIRONMENT = "_ZN08NumbaEnv"  # how the names of Numba's constants for a function begin
L = TypeVar("L", bound=JITCodeLibrary)


class _Collecting(JITCodeLibrary):
    """A library that takes in all that the parts need which are linked into it, each once and before who calls it."""

    def add_linking_library(self, library: Any) -> None:
        """Take in ``library``."""
        for needed in [*library._linking_libraries, library] if isinstance(library, Part) else [library]:
            if needed not in self._linking_libraries:
                super().add_linking_library(needed)


class Part(_Collecting):
    """A function for others to call: code for LLVM, never machine code."""

    def finalize(self) -> None:
        """Leave everything to the whole."""
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """No function can be called yet, says 0."""
        return 0


class Whole(_Collecting):
    """A kernel that Python calls, and all its parts."""

    def finalize(self) -> None:
        """Link callers before what they call, since LLVM takes in nothing that nobody has called so far."""
        self._linking_libraries.reverse()
        super().finalize()


def _library(state: Any, kind: type[L]) -> L:
    return kind(state.targetctx.codegen(), state.func_id.func_qualname)


@register_pass(mutates_CFG=True, analysis_only=False)
class PartLowering(typed_passes.NativeLowering):
    """Lower a part."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> Literal[True]:
        """As Numba does it, without machine code."""
        state.library = _library(state, Part)
        state.flags.no_compile = True
        try:
            super().run_pass(state)
        finally:
            state.flags.no_compile = False
        fndesc, env = state.cr.fndesc, state.cr.env
        # Numba knows functions by what Python would call.
        nothing = _dynfunc.make_function(fndesc.lookup_module(), fndesc.qualname, "", 0, env, (state.library,))
        state.targetctx.insert_user_function(nothing, fndesc, [state.library])
        state["cr"] = state.cr._replace(cfunc=nothing)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class WholeLowering(typed_passes.NativeLowering):
    """Lower a kernel, and make machine code of it and its parts."""

    _name = "whole_lowering"

    def run_pass(self, state: Any) -> Literal[True]:
        """As Numba does it, and give the parts their constants, which they would else have got one by one."""
        library: Any = _library(state, Whole)
        state.library = library
        library.enable_object_caching()
        super().run_pass(state)
        for variable in library._final_module.global_variables:
            if variable.name.startswith(ENVIRONMENT) and (env := lookup_environment(variable.name)) is not None:
                library.codegen.set_env(variable.name, env)
        return True


class _Compiler(compiler.CompilerBase):
    """Numba's compiler with another last step."""

    lowering: Any

    def define_pipelines(self) -> list[Any]:
        """The steps."""
        steps = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        last = typed_passes.NativeLowering
        steps.passes = [(self.lowering if step is last else step, text) for step, text in steps.passes]
        steps.finalize()
        return [steps]


class PartCompiler(_Compiler):
    """Compiles what other kernels call."""

    lowering = PartLowering


class WholeCompiler(_Compiler):
    """Compiles what Python calls."""

    lowering = WholeLowering
