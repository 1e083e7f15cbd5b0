"""One certificate for every row that speaks TLS."""

import subprocess


class Certificate:
    """A self-signed one for 127.0.0.1, on P-256: the key that servers have today."""

    def __init__(self, directory):
        folder = directory / "certificate"
        folder.mkdir(mode=0o755)
        self.folder, self.chain, self.key, self.both = (
            folder, folder / "default.crt", folder / "default.key", directory / "both.pem"
        )
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", str(self.key), "-out", str(self.chain)],
            check=True, capture_output=True,
        )
        self.key.chmod(0o644)
        self.both.write_bytes(self.chain.read_bytes() + self.key.read_bytes())
