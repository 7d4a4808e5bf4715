"""The script by which the storage node's pod gets its directories, with the rights that the pod gives it."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from rendering import containers, named, render

STORAGE_USER = 64535
OTHER_USER = 1000


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root and setpriv")
class Directories(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="gabion-chart-test-")))
        self.root.chmod(0o755)
        self.data = self.root / "data"
        self.data.mkdir()
        spec = named(render("default"), "DaemonSet", "gabion-data-plane")["spec"]["template"]["spec"]
        self.container = next(c for c in containers(spec) if c["name"] == "directories")

    def run_script(self):
        security = self.container["securityContext"]
        capabilities = ",".join(f"+{name.lower()}" for name in security["capabilities"]["add"])
        return subprocess.run(
            ["setpriv", "--reuid", str(security["runAsUser"]), "--regid", str(security["runAsGroup"]), "--clear-groups",
             "--bounding-set", f"-all,{capabilities}", "--inh-caps", "-all", "sh", "-ec",
             self.container["args"][0].replace("/var/lib/gabion", str(self.data)), "directories", str(self.data)],
            capture_output=True, text=True, check=False, timeout=10)

    def owner(self, path):
        return path.stat().st_uid

    def test_of_root_go_to_the_storage_node_again_at_every_start(self):
        (self.data / "fast").mkdir()
        (self.data / "lost+found").mkdir()
        self.assertEqual(self.run_script().returncode, 0)
        (self.data / "slow").mkdir()
        done = self.run_script()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for path in (self.data, self.data / "fast", self.data / "slow"):
            self.assertEqual((self.owner(path), path.stat().st_mode & 0o777), (STORAGE_USER, 0o750), path)
        self.assertEqual(self.owner(self.data / "lost+found"), 0)

    def test_of_somebody_else_are_left_and_named_with_the_remedy(self):
        os.chown(self.data, OTHER_USER, OTHER_USER)
        done = self.run_script()
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.data} belongs to user {OTHER_USER}; on the node run: chown 64535:64535 {self.data}", done.stderr)
        self.assertEqual(self.owner(self.data), OTHER_USER)


if __name__ == "__main__":
    unittest.main()
