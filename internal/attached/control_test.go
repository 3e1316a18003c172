package attached

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// folder is a short path, because the name of a socket may have some 100 bytes only.
func folder(t *testing.T) Folder {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl") //nolint:usetesting // T.TempDir has the name of the test in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return Folder(dir)
}

// serve serves a drive that takes every disc but "bad".
func serve(t *testing.T, f Folder, device string) *Server {
	t.Helper()
	s, err := f.Listen()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(Status{Device: device, File: "first.iso"}, func(spec, dir string) (string, error) {
			if spec == "bad" {
				return "", errors.New("bad is no disc image")
			}
			return filepath.Join(dir, spec), nil
		})
	}()
	t.Cleanup(func() {
		select {
		case <-s.gone:
		default:
			s.Close()
		}
		<-done
	})
	return s
}

func TestFind(t *testing.T) {
	f := folder(t)
	if _, err := f.Find(""); !errors.Is(err, ErrNone) {
		t.Errorf("no drive: %v", err)
	}
	first := serve(t, f, "/dev/sr7")
	if d, err := f.Find(""); err != nil || d.Status != (Status{"/dev/sr7", "first.iso"}) {
		t.Errorf("the only drive: %+v, %v", d, err)
	}
	second := serve(t, f, "/dev/sr8")
	if first.Name() != "drive0" || second.Name() != "drive1" {
		t.Errorf("names %s, %s", first.Name(), second.Name())
	}
	var many *AmbiguousError
	if _, err := f.Find(""); !errors.As(err, &many) || !slices.Equal(many.Devices, []string{"/dev/sr7", "/dev/sr8"}) {
		t.Errorf("two drives: %v", err)
	}
	if d, err := f.Find("/dev/sr8"); err != nil || d.Device != "/dev/sr8" {
		t.Errorf("by name: %+v, %v", d, err)
	}
	if _, err := f.Find("/dev/sr9"); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "/dev/sr9") {
		t.Errorf("a name that is not served: %v", err)
	}
}

func TestLoad(t *testing.T) {
	f := folder(t)
	serve(t, f, "/dev/sr7")
	d, err := f.Find("/dev/sr7")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Load("b.iso", "/home/x"); err != nil || d.File != "/home/x/b.iso" {
		t.Errorf("load: %+v, %v", d.Status, err)
	}
	var refused *RefusedError
	if err := d.Load("bad", ""); !errors.As(err, &refused) || refused.Reason != "bad is no disc image" || d.File != "/home/x/b.iso" {
		t.Errorf("a bad disc: %+v, %v", d.Status, err)
	}
	if d, err := f.Find(""); err != nil || d.File != "/home/x/b.iso" {
		t.Errorf("afterwards: %+v, %v", d, err)
	}
}

// Who asks for a drive to end hears of it when the drive is gone.
func TestDetachWaits(t *testing.T) {
	f := folder(t)
	s := serve(t, f, "/dev/sr7")
	d, err := f.Find("")
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { answered <- d.Detach() }()
	select {
	case <-s.Detach():
	case <-time.After(10 * time.Second):
		t.Fatal("the server did not hear of it")
	}
	select {
	case err := <-answered:
		t.Fatalf("answered before the drive was gone: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if _, err := f.Find(""); !errors.Is(err, ErrNone) {
		t.Errorf("a drive that is gone is found: %v", err)
	}
}

func TestClean(t *testing.T) {
	f := folder(t)
	// The socket of a killed process stays, without a listener.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: f.socket("drive0"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	living := serve(t, f, "/dev/sr7")
	if living.Name() != "drive1" {
		t.Errorf("the name of a killed process is taken: %s", living.Name())
	}
	if _, err := f.Clean(); err != nil && os.Geteuid() == 0 {
		t.Error(err)
	}
	paths, err := f.sockets()
	if err != nil || !slices.Equal(paths, []string{f.socket("drive1")}) {
		t.Errorf("left: %v, %v", paths, err)
	}
}

// What is not a request is not answered, and does no harm.
func TestNonsense(t *testing.T) {
	f := folder(t)
	s := serve(t, f, "/dev/sr7")
	for _, text := range []string{"hello\n", "{\"do\":17}\n", ""} {
		conn, err := net.Dial("unix", f.socket(s.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Error(err)
		}
		if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
			t.Error(err)
		}
		if n, err := conn.Read(make([]byte, 100)); err == nil {
			t.Errorf("%q was answered with %d bytes", text, n)
		}
		conn.Close()
	}
	d := &Drive{path: f.socket(s.Name())}
	var refused *RefusedError
	if err := d.ask(request{Do: "burn"}); !errors.As(err, &refused) {
		t.Errorf("an unknown request: %v", err)
	}
	if err := (&Drive{path: f.socket("no")}).Load("x", ""); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("no server: %v", err)
	}
}

func TestFull(t *testing.T) {
	f := folder(t)
	for i := range mostDrives {
		s, err := f.Listen()
		if err != nil {
			t.Fatalf("drive %d: %v", i, err)
		}
		defer s.Close()
	}
	if _, err := f.Listen(); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}
