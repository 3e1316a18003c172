package attached

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// A Loader changes the disc of a served drive to the one that spec names, as a user
// wrote it in the folder dir. It returns the file of the new disc.
type Loader func(spec, dir string) (file string, err error)

// A Server answers requests about one drive.
type Server struct {
	name   string
	listen net.Listener
	detach chan struct{}
	once   sync.Once
	gone   chan struct{}
	busy   sync.WaitGroup

	mu     sync.Mutex // a request at a time
	status Status
	load   Loader
}

// Listen takes a free name for a drive. Call [Folder.Clean] first: the socket of a
// killed process takes a name.
func (f Folder) Listen() (*Server, error) {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return nil, err
	}
	for i := range mostDrives {
		name := fmt.Sprintf("%s%d", prefix, i)
		l, err := net.Listen("unix", f.socket(name))
		if err != nil {
			continue // taken
		}
		return &Server{name: name, listen: l, detach: make(chan struct{}), gone: make(chan struct{})}, nil
	}
	return nil, ErrFull
}

// Name returns the name to attach the drive under.
func (s *Server) Name() string { return s.name }

// Serve answers requests until [Server.Close]. Requests that came before are
// answered now.
func (s *Server) Serve(status Status, load Loader) {
	s.status, s.load = status, load
	for {
		conn, err := s.listen.Accept()
		if err != nil {
			return
		}
		s.busy.Go(func() { s.answer(conn) })
	}
}

// Detach is closed when a client asks that the drive be detached. The client waits
// for [Server.Close].
func (s *Server) Detach() <-chan struct{} { return s.detach }

// Close answers clients that wait for the drive to go, and removes the socket.
func (s *Server) Close() error {
	close(s.gone)
	err := s.listen.Close()
	s.busy.Wait()
	return err
}

// answer serves one request. A client that went away does not matter.
func (s *Server) answer(conn net.Conn) {
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(limit)) != nil {
		return
	}
	var q request
	if err := json.NewDecoder(conn).Decode(&q); err != nil {
		return
	}
	_ = json.NewEncoder(conn).Encode(s.do(q))
}

func (s *Server) do(q request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failure string
	switch q.Do {
	case doStatus:
	case doLoad:
		file, err := s.load(q.Spec, q.Dir)
		if err != nil {
			failure = err.Error()
		} else {
			s.status.File = file
		}
	case doDetach:
		s.once.Do(func() { close(s.detach) })
		<-s.gone
	default:
		failure = fmt.Sprintf("unknown request %q", q.Do)
	}
	return reply{s.status, failure}
}
