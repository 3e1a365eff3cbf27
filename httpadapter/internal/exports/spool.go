package exports

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// spoolMemory is how many bytes of a file are kept in memory.
const spoolMemory = 1 << 20

// spool is a file that is written once and then read: in memory while it is
// small, beyond that in a temporary file.
type spool struct {
	small bytes.Buffer
	large *os.File
}

func (s *spool) Write(p []byte) (int, error) {
	if s.large == nil && s.small.Len()+len(p) <= spoolMemory {
		return s.small.Write(p)
	}
	if s.large == nil {
		file, err := os.CreateTemp("", "export-*")
		if err != nil {
			return 0, err
		}
		s.large = file
		if _, err := s.small.WriteTo(file); err != nil {
			return 0, err
		}
	}
	return s.large.Write(p)
}

// copyTo copies what was written.
func (s *spool) copyTo(w io.Writer) error {
	if s.large == nil {
		_, err := w.Write(s.small.Bytes())
		return err
	}
	if _, err := s.large.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.large)
	return err
}

// reset forgets what was written.
func (s *spool) reset() error {
	s.small.Reset()
	return s.Close()
}

// Close removes the file.
func (s *spool) Close() error {
	if s.large == nil {
		return nil
	}
	name := s.large.Name()
	err := errors.Join(s.large.Close(), os.Remove(name))
	s.large = nil
	return err
}
