package postgres

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// MigrationTool is a program that runs numbered SQL files.
type MigrationTool string

// The tools whose files [MigrationFiles] returns. Atlas reads those of GolangMigrate.
const (
	Goose         MigrationTool = "goose"          // github.com/pressly/goose
	GolangMigrate MigrationTool = "golang-migrate" // github.com/golang-migrate/migrate
	Tern          MigrationTool = "tern"           // github.com/jackc/tern
)

// MigrationFiles returns the files of [Migrations] with the names and comments
// that a tool expects, for hosts that run all their migrations with one tool:
//
//	files, err := postgres.MigrationFiles(postgres.Goose)
//	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
//
//	files, err := postgres.MigrationFiles(postgres.GolangMigrate)
//	source, err := iofs.New(files, ".")
//
// Their versions are 1, 2, 3, … in the order of Migrations. A version stays the same
// file for ever, and new ones come at the end. The files only ever go up. They name
// no schema: set the search_path of the tool's connection, and give it a version
// table of its own where the host has migrations too.
//
// A tool that reads from a disk gets the files with os.CopyFS. For Atlas write those
// of GolangMigrate, and run "atlas migrate hash".
//
// The host calls [CheckSchema] at its start instead of Migrate. A host that changes
// over to Migrate later calls [Baseline] once.
//
// The files make no tables of the domains in without: leave them out of all files, and
// give them to CheckSchema and New too, in Options.Without. To have a domain later,
// call Baseline once with the Options as they were, and Migrate with those as they
// shall be; then take the tool's files that have the domain.
func MigrationFiles(tool MigrationTool, without ...Domain) (fs.FS, error) {
	if err := validateDomains(without); err != nil {
		return nil, err
	}
	names, err := migrationNames()
	if err != nil {
		return nil, err
	}
	files := fileSet{}
	for i, name := range names {
		body, err := fs.ReadFile(Migrations(), name)
		if err != nil {
			return nil, fmt.Errorf("postgres: read migration %s: %w", name, err)
		}
		if len(without) > 0 {
			body = []byte(leaving(string(body), without))
		}
		version, title := i+1, title(name)
		switch tool {
		case Goose:
			body = slices.Concat([]byte("-- +goose Up\n-- +goose StatementBegin\n"), body, []byte("\n-- +goose StatementEnd\n"))
			files[fmt.Sprintf("%05d_%s.sql", version, title)] = body
		case GolangMigrate:
			files[fmt.Sprintf("%05d_%s.up.sql", version, title)] = body
		case Tern:
			files[fmt.Sprintf("%03d_%s.sql", version, title)] = body
		default:
			return nil, fmt.Errorf("postgres: no files for the migration tool %q", tool)
		}
	}
	return files, nil
}

// leaving returns a file without what is about the domains. A file that has nothing
// else keeps its version: it has a statement that does nothing.
func leaving(text string, without []Domain) string {
	kept := slices.DeleteFunc(statementsIn(text), func(s string) bool { return slices.Contains(without, about(s)) })
	if len(kept) == 0 {
		return "SELECT 1;\n"
	}
	return strings.Join(kept, "")
}

// title is a migration's name without number and ending.
func title(name string) string { return name[len("0001_") : len(name)-len(".sql")] }

func migrationNames() ([]string, error) {
	names, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return nil, fmt.Errorf("postgres: list the migrations: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// fileSet is a folder of files in memory.
type fileSet map[string][]byte

// Open implements [fs.FS].
func (s fileSet) Open(name string) (fs.File, error) {
	if name == "." {
		return &openDir{set: s}, nil
	}
	body, ok := s[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openFile{fileInfo{name, len(body)}, bytes.NewReader(body)}, nil
}

// ReadDir implements [fs.ReadDirFS].
func (s fileSet) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	entries := make([]fs.DirEntry, 0, len(s))
	for name, body := range s {
		entries = append(entries, fs.FileInfoToDirEntry(fileInfo{name, len(body)}))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return bytes.Compare([]byte(a.Name()), []byte(b.Name())) })
	return entries, nil
}

type openFile struct {
	info fileInfo
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	set  fileSet
	done int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return dirInfo{}, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	all, err := d.set.ReadDir(".")
	if err != nil {
		return nil, err
	}
	all = all[d.done:]
	if n > 0 {
		if len(all) == 0 {
			return nil, io.EOF
		}
		all = all[:min(n, len(all))]
	}
	d.done += len(all)
	return all, nil
}

type fileInfo struct {
	name string
	size int
}

func (i fileInfo) Name() string     { return i.name }
func (i fileInfo) Size() int64      { return int64(i.size) }
func (fileInfo) Mode() fs.FileMode  { return 0o444 }
func (fileInfo) ModTime() time.Time { return time.Time{} }
func (fileInfo) IsDir() bool        { return false }
func (fileInfo) Sys() any           { return nil }

type dirInfo struct{}

func (dirInfo) Name() string       { return "." }
func (dirInfo) Size() int64        { return 0 }
func (dirInfo) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (dirInfo) ModTime() time.Time { return time.Time{} }
func (dirInfo) IsDir() bool        { return true }
func (dirInfo) Sys() any           { return nil }
