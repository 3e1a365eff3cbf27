//go:build unix && !linux

package pgtest

// memoryDir is empty: there is no memory file system to count on.
const memoryDir = ""

func roomy(string) bool { return false }
