//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// A started command prints its progress as JSON into a pipe.
type started struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    io.ReadCloser
	lines  *bufio.Scanner
	errors bytes.Buffer
}

// startUntil starts a command, and returns when it is in a phase.
func startUntil(t *testing.T, phase string, env []string, exe string, args ...string) *started {
	t.Helper()
	s := &started{t: t, cmd: exec.Command(exe, append(args, "--json")...)}
	s.cmd.Env = env
	s.cmd.Stderr = &s.errors
	var err error
	if s.out, err = s.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.lines = bufio.NewScanner(s.out)
	s.lines.Buffer(nil, 1<<20)
	for s.lines.Scan() {
		if strings.Contains(s.lines.Text(), fmt.Sprintf(`"phase":%q`, phase)) {
			return s
		}
	}
	t.Errorf("it was never %s\n%s", phase, s.errors.String())
	return s
}

// A cut is what happens to a command while it works.
type cut struct {
	name   string
	signal syscall.Signal // 0: none
	lose   bool           // nobody reads its output any more
}

// cuts are what a closed terminal, a lost pipe and the killer for want of memory do.
var (
	hangup = cut{"hangup", syscall.SIGHUP, false}
	pipe   = cut{"pipe", 0, true}
	both   = cut{"both", syscall.SIGHUP, true}
	killed = cut{"killed", syscall.SIGKILL, false}
)

// heeded skips a test with a signal that a parent, such as nohup, has programs ignore.
func heeded(t *testing.T, s syscall.Signal) {
	t.Helper()
	if s == syscall.SIGHUP && signal.Ignored(s) {
		t.Skip("SIGHUP is ignored here")
	}
}

// end cuts the command off, and returns its exit status, -1 for none, and the last line that it printed.
func (s *started) end(by cut) (status int, last string) {
	s.t.Helper()
	if by.lose {
		s.out.Close()
	}
	if by.signal != 0 {
		_ = s.cmd.Process.Signal(by.signal) // the status says whether it came in time
	}
	for !by.lose && s.lines.Scan() {
		last = s.lines.Text()
	}
	_ = s.cmd.Wait() // the status says it
	return s.cmd.ProcessState.ExitCode(), last
}

// same compares files.
func same(t *testing.T, path, with string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	want, err := os.ReadFile(with)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not %s", path, with)
	}
}

// command returns the path of the command.
func command(t *testing.T) string {
	t.Helper()
	if exe, err := exec.LookPath("spindle"); err == nil { // testscript puts this test's binary there
		return exe
	}
	return buildCommand(t)
}
