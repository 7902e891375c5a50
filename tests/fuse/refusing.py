"""A FUSE file system over a folder that refuses the given operations.

    refusing.py FOLDER MOUNT JSON

JSON maps FUSE operations to error names ({"chmod": "EPERM"}); "rename_over" is a rename onto an existing file.
"modes" ([0o755, 0o644] as numbers) are the fixed modes of all folders and all files.
"""

import errno
import json
import os
import stat
import sys

from fusepy import FUSE, FuseOSError, Operations


class Refusing(Operations):
    use_ns = True

    def __init__(self, folder, refusals):
        self.folder = folder
        self.modes = refusals.pop("modes", None)
        self.refusals = {name: getattr(errno, error) for name, error in refusals.items()}

    def __call__(self, operation, path, *args):
        if operation in self.refusals:
            raise FuseOSError(self.refusals[operation])
        if operation == "rename" and "rename_over" in self.refusals and os.path.lexists(self.at(args[0])):
            raise FuseOSError(self.refusals["rename_over"])
        try:
            return super().__call__(operation, path, *args)
        except OSError as error:
            raise FuseOSError(error.errno) from None

    def at(self, path):
        return self.folder + path

    def access(self, path, mode):
        return 0

    def chmod(self, path, mode):
        return 0 if self.modes else os.chmod(self.at(path), mode)

    def chown(self, path, uid, gid):
        return os.lchown(self.at(path), uid, gid)

    def getattr(self, path, handle=None):
        found = os.lstat(self.at(path))
        mode = found.st_mode
        if self.modes:
            mode = stat.S_IFMT(mode) | self.modes[0 if stat.S_ISDIR(mode) else 1]
        return {"st_mode": mode, "st_nlink": found.st_nlink, "st_uid": found.st_uid, "st_gid": found.st_gid,
                "st_size": found.st_size, "st_atime": found.st_atime_ns, "st_mtime": found.st_mtime_ns,
                "st_ctime": found.st_ctime_ns}

    def readdir(self, path, handle):
        return [".", "..", *os.listdir(self.at(path))]

    def readlink(self, path):
        return os.readlink(self.at(path))

    def symlink(self, target, source):
        return os.symlink(source, self.at(target))

    def link(self, target, source):
        return os.link(self.at(source), self.at(target))

    def mkdir(self, path, mode):
        return os.mkdir(self.at(path), mode)

    def rmdir(self, path):
        return os.rmdir(self.at(path))

    def unlink(self, path):
        return os.unlink(self.at(path))

    def rename(self, old, new):
        return os.rename(self.at(old), self.at(new))

    def create(self, path, mode, info=None):
        return os.open(self.at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def open(self, path, flags):
        return os.open(self.at(path), flags & ~(os.O_NOFOLLOW | os.O_EXCL))

    def read(self, path, size, offset, handle):
        return os.pread(handle, size, offset)

    def write(self, path, data, offset, handle):
        return os.pwrite(handle, data, offset)

    def truncate(self, path, length, handle=None):
        return os.truncate(self.at(path), length)

    def utimens(self, path, times=None):
        return os.utime(self.at(path), ns=times)

    def flush(self, path, handle):
        return 0

    def fsync(self, path, datasync, handle):
        return os.fsync(handle)

    def fsyncdir(self, path, datasync, handle):
        return 0

    def release(self, path, handle):
        return os.close(handle)

    def statfs(self, path):
        found = os.statvfs(self.at(path))
        return {key: getattr(found, key) for key in (
            "f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_frsize", "f_namemax")}


if __name__ == "__main__":
    FUSE(Refusing(sys.argv[1], json.loads(sys.argv[3])), sys.argv[2], foreground=True, nothreads=True,
         default_permissions=True, allow_other=True)
