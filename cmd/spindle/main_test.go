package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"spindle/disc"
	"spindle/image"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testchd"
	"spindle/internal/testdisc/testscram"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"spindle": main})
}

// TestScripts runs the scripts in testdata: one for each behaviour of the
// command. With UPDATE_SCRIPTS=1 in the environment, what they compare with is
// rewritten.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Condition: func(cond string) (bool, error) {
			if cond != "root" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return os.Geteuid() == 0, nil // file permissions do not stop root
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, ".state"))
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, ".config"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"mkdisc": cmdMkdisc, "mkchd": cmdMkchd, "mkscram": cmdMkscram, "waitfile": cmdWaitfile, "status": cmdStatus, "corrupt": cmdCorrupt, "glob": cmdGlob,
			"write": cmdWrite, "link": cmdLink, "sumfile": cmdSumfile,
			"pad": cmdPad, "accuraterip": cmdAccurateRip, "mkalbum": cmdMkalbum, "respond": cmdRespond,
		},
	})
}

// mkdisc NAME... makes test discs in the current folder.
func cmdMkdisc(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		_, err := testdisc.Make(ts.MkAbs("."), name)
		ts.Check(err)
	}
}

// mkchd IMAGE OUT [of=PARENT] [v3] [CODEC]... makes a CHD of a disc; v3: of version 3; of: with
// the CHD that mkchd makes of another image as its parent.
func cmdMkchd(ts *testscript.TestScript, _ bool, args []string) {
	stored := func(path string, codecs []string) ([]byte, testchd.Options) {
		img, err := image.Open(context.Background(), ts.MkAbs(path))
		ts.Check(err)
		defer img.Close()
		content, o, err := testchd.FromImage(context.Background(), img, codecs...)
		ts.Check(err)
		return content, o
	}
	codecs := args[2:]
	var parent *testchd.Parent
	if len(codecs) > 0 && strings.HasPrefix(codecs[0], "of=") {
		content, o := stored(strings.TrimPrefix(codecs[0], "of="), codecs[1:])
		parent, codecs = &testchd.Parent{File: testchd.Make(content, o), Content: content}, codecs[1:]
	}
	content, o := stored(args[0], codecs)
	o.Parent = parent
	if len(o.Codecs) > 0 && o.Codecs[0] == "v3" {
		o.Version, o.Codecs = 3, o.Codecs[1:]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), testchd.Make(content, o), 0o666))
}

// waitfile FILE SIZE waits until a file has at least so many bytes.
// mkscram IMAGE SUFFIX OFFSET [SECTOR...] makes dump.scram or dump.scm of an image, with a write offset in samples, in
// which sectors were not read.
func cmdMkscram(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	img, err := image.Open(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	defer img.Close()
	d := testscram.Dump{Suffix: args[1], Full: true}
	d.Offset, err = strconv.Atoi(args[2])
	ts.Check(err)
	for _, text := range args[3:] {
		at, err := strconv.Atoi(text)
		ts.Check(err)
		d.Skipped = append(d.Skipped, disc.LBA(at))
	}
	_, err = d.Write(ctx, img, ts.MkAbs("."))
	ts.Check(err)
}

func cmdWaitfile(ts *testscript.TestScript, _ bool, args []string) {
	var size int64
	if _, err := fmt.Sscan(args[1], &size); err != nil {
		ts.Fatalf("waitfile FILE SIZE")
	}
	for range 1000 {
		if st, err := os.Stat(ts.MkAbs(args[0])); err == nil && st.Size() >= size {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s does not grow to %d bytes", args[0], size)
}

// glob PATTERN: some file matches.
func cmdGlob(ts *testscript.TestScript, neg bool, args []string) {
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if neg == (len(found) > 0) {
		ts.Fatalf("%s: %v", args[0], found)
	}
}

// corrupt [-t] FILE OFFSET... changes a bit of each of these bytes; with -t the file
// keeps its time.
func cmdCorrupt(ts *testscript.TestScript, _ bool, args []string) {
	keep := args[0] == "-t"
	if keep {
		args = args[1:]
	}
	path := ts.MkAbs(args[0])
	st, err := os.Stat(path)
	ts.Check(err)
	b, err := os.ReadFile(path)
	ts.Check(err)
	if keep {
		defer func() { ts.Check(os.Chtimes(path, st.ModTime(), st.ModTime())) }()
	}
	for _, text := range args[1:] {
		at, err := strconv.Atoi(text)
		ts.Check(err)
		b[at] ^= 1
	}
	ts.Check(os.WriteFile(path, b, 0o666))
}

// pad FILE SIZE makes a file so many bytes long, with zeros or cut.
func cmdPad(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// sumfile FILE writes the checksum file of a file beside it.
func cmdSumfile(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".sha256"), fmt.Appendf(nil, "%x *%s\n", sha256.Sum256(b), args[0]), 0o666))
}

// write FILE TEXT writes a file. Both are read as Go reads strings: \x1b is ESC.
func cmdWrite(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(unescape(ts, args[0]))
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
	ts.Check(os.WriteFile(path, []byte(unescape(ts, args[1])), 0o666))
}

// link FILE TARGET makes a symbolic link, with escapes like write.
func cmdLink(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.Symlink(unescape(ts, args[1]), ts.MkAbs(unescape(ts, args[0]))))
}

func unescape(ts *testscript.TestScript, s string) string {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	ts.Check(err)
	return text
}

// status N COMMAND... runs a command that must end with exit status N.
func cmdStatus(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if e, ok := err.(interface{ ExitCode() int }); ok {
		got = fmt.Sprint(e.ExitCode())
	} else {
		ts.Check(err)
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s\n%s", got, args[0], ts.ReadFile("stderr"))
	}
}
