"""The one build step that pyproject.toml cannot express: `strategies/` becomes `stresslab/examples/`."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithExamples(build_py):
    """Copies the strategy files into the package that is built; an editable install reads them where they are."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "stresslab" / "examples"
        self.mkpath(str(target))
        for path in sorted(Path("strategies").glob("*.py")):
            self.copy_file(str(path), str(target / path.name))


setup(cmdclass={"build_py": BuildWithExamples})
