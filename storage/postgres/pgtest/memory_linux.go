package pgtest

import "syscall"

const (
	memoryDir = "/dev/shm"
	// enough keeps clear of containers, whose memory file system often holds 64 MB, and leaves
	// room for the clusters of several test binaries.
	enough = 4 << 30
)

// roomy reports whether dir is a file system with enough free bytes.
func roomy(dir string) bool {
	var fs syscall.Statfs_t
	return syscall.Statfs(dir, &fs) == nil && fs.Bavail*uint64(fs.Bsize) >= enough
}
