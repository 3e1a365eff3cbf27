package affiliate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Blobs keeps files, such as images, by key. It is no part of a unit of work:
// a blob is put before the unit that refers to it, and one that nothing refers
// to does no harm.
//
// A key is 1 to 255 characters of a to z, 0 to 9, "-", "_" and "."; it does not
// begin with a dot. Another is ErrInvalid.
type Blobs interface {
	// Put keeps the data, replacing what the key has.
	Put(ctx context.Context, key string, data []byte) error
	// Get is ErrNotFound when the key has none. The data is the caller's.
	Get(ctx context.Context, key string) ([]byte, error)
	// Delete is no change when the key has none.
	Delete(ctx context.Context, key string) error
	// Keys returns at most limit keys that begin with prefix and come after the
	// given one, in ascending order.
	Keys(ctx context.Context, prefix, after string, limit int) ([]string, error)
}

func checkBlobKey(key string) error {
	ok := len(key) >= 1 && len(key) <= 255 && key[0] != '.'
	for i := 0; ok && i < len(key); i++ {
		c := key[i]
		ok = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if !ok {
		return Invalid("blob", FieldError{Field: "key", Code: "invalid_key", Message: "must be 1 to 255 characters of a to z, 0 to 9, -, _ and ."})
	}
	return nil
}

// MemoryBlobs keeps blobs in memory. It is safe for concurrent use.
type MemoryBlobs struct {
	mu    sync.RWMutex
	blobs map[string][]byte
}

// NewMemoryBlobs returns an empty MemoryBlobs.
func NewMemoryBlobs() *MemoryBlobs { return &MemoryBlobs{blobs: make(map[string][]byte)} }

// Put implements Blobs.
func (m *MemoryBlobs) Put(_ context.Context, key string, data []byte) error {
	if err := checkBlobKey(key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blobs[key] = slices.Clone(data)
	return nil
}

// Get implements Blobs.
func (m *MemoryBlobs) Get(_ context.Context, key string) ([]byte, error) {
	if err := checkBlobKey(key); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	data, ok := m.blobs[key]
	if !ok {
		return nil, NotFound("blob", key)
	}
	return slices.Clone(data), nil
}

// Delete implements Blobs.
func (m *MemoryBlobs) Delete(_ context.Context, key string) error {
	if err := checkBlobKey(key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.blobs, key)
	return nil
}

// Keys implements Blobs.
func (m *MemoryBlobs) Keys(_ context.Context, prefix, after string, limit int) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return firstKeys(maps.Keys(m.blobs), prefix, after, limit), nil
}

// firstKeys are the first limit keys with the prefix after the given one.
func firstKeys(all iter.Seq[string], prefix, after string, limit int) []string {
	var keys []string
	for key := range all {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys[:min(max(limit, 0), len(keys))]
}

// DirBlobs keeps each blob as a file in a directory. It is safe for concurrent
// use, also by several processes.
type DirBlobs struct{ dir string }

// NewDirBlobs uses the directory, and makes it when it is not there.
func NewDirBlobs(dir string) (*DirBlobs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("affiliate: directory of blobs: %w", err)
	}
	return &DirBlobs{dir}, nil
}

// Put implements Blobs. The file appears whole or not at all.
func (d *DirBlobs) Put(_ context.Context, key string, data []byte) error {
	if err := checkBlobKey(key); err != nil {
		return err
	}
	f, err := os.CreateTemp(d.dir, ".new-*")
	if err != nil {
		return Unavailable(err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(d.dir, key))
	}
	if err != nil {
		return Unavailable(errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// Get implements Blobs.
func (d *DirBlobs) Get(_ context.Context, key string) ([]byte, error) {
	if err := checkBlobKey(key); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(d.dir, key))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, NotFound("blob", key)
	case err != nil:
		return nil, Unavailable(err)
	}
	return data, nil
}

// Delete implements Blobs.
func (d *DirBlobs) Delete(_ context.Context, key string) error {
	if err := checkBlobKey(key); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(d.dir, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Unavailable(err)
	}
	return nil
}

// Keys implements Blobs.
func (d *DirBlobs) Keys(_ context.Context, prefix, after string, limit int) ([]string, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, Unavailable(err)
	}
	return firstKeys(func(yield func(string) bool) {
		for _, e := range entries {
			if checkBlobKey(e.Name()) == nil && !yield(e.Name()) {
				return
			}
		}
	}, prefix, after, limit), nil
}
