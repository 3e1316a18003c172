package mmc

import (
	"context"
	"errors"
	"fmt"

	"spindle/scsi"
)

// TestUnitReady asks whether the medium can be accessed (SPC-4 6.47).
func (d *Drive) TestUnitReady(ctx context.Context) error {
	return d.none(ctx, make([]byte, 6), medium)
}

// RequestSense asks for sense data outside of an error: drives state the
// progress of long operations in it (SPC-4 6.39).
func (d *Drive) RequestSense(ctx context.Context) (scsi.Sense, error) {
	b, err := d.in(ctx, []byte{byte(scsi.OpRequestSense), 0, 0, 0, 18, 0}, make([]byte, 18), quick)
	if err != nil {
		return scsi.Sense{}, err
	}
	return scsi.ParseSense(b)
}

// Inquiry is the standard INQUIRY data (SPC-4 6.6.2).
type Inquiry struct {
	DeviceType uint8 // 5: CD, DVD or BD drive
	Removable  bool
	Version    uint8
	Vendor     string
	Product    string
	Revision   string
	Specific   string // bytes 36 to 55: often the firmware's date
}

// Inquiry asks who the drive is.
func (d *Drive) Inquiry(ctx context.Context) (Inquiry, error) {
	buf := make([]byte, 96)
	b, err := d.in(ctx, []byte{byte(scsi.OpInquiry), 0, 0, 0, byte(len(buf)), 0}, buf, quick)
	if err != nil {
		return Inquiry{}, err
	}
	if err := need(scsi.OpInquiry, b, 36); err != nil {
		return Inquiry{}, err
	}
	q := Inquiry{
		DeviceType: b[0] & 0x1F,
		Removable:  bit(b[1], 7),
		Version:    b[2],
		Vendor:     text(b[8:16]),
		Product:    text(b[16:32]),
		Revision:   text(b[32:36]),
	}
	if len(b) >= 56 {
		q.Specific = text(b[36:56])
	}
	return q, nil
}

// SerialNumber asks for the unit serial number (vital product data page 80h,
// SPC-4 7.8.13). Many drives have none and answer with an error.
func (d *Drive) SerialNumber(ctx context.Context) (string, error) {
	buf := make([]byte, 252)
	b, err := d.in(ctx, []byte{byte(scsi.OpInquiry), 1, 0x80, 0, byte(len(buf)), 0}, buf, quick)
	if err != nil {
		return "", err
	}
	if err := need(scsi.OpInquiry, b, 4); err != nil {
		return "", err
	}
	if b[1] != 0x80 {
		return "", fmt.Errorf("INQUIRY: asked for page 80h, got %02Xh", b[1])
	}
	return text(b[4:min(len(b), 4+int(b[3]))]), nil
}

// LoadAction is what [Drive.StartStop] does: the LoEj and Start bits (6.44).
type LoadAction uint8

// The actions.
const (
	Stop  LoadAction = 0 // spin down
	Start LoadAction = 1 // spin up
	Eject LoadAction = 2
	Load  LoadAction = 3
)

// StartStop spins the disc up or down, or moves the tray, and waits for the end
// of it.
func (d *Drive) StartStop(ctx context.Context, a LoadAction) error {
	return d.none(ctx, []byte{byte(scsi.OpStartStopUnit), 0, 0, 0, byte(a), 0}, loading)
}

// PreventRemoval locks the tray, or unlocks it again (6.16).
func (d *Drive) PreventRemoval(ctx context.Context, lock bool) error {
	cdb := []byte{byte(scsi.OpPreventAllowRemoval), 0, 0, 0, 0, 0}
	if lock {
		cdb[4] = 1
	}
	return d.none(ctx, cdb, quick)
}

// MediaEvent is the media class of GET EVENT STATUS NOTIFICATION (6.7.2.5).
type MediaEvent struct {
	Code     uint8 // 0 none, 1 eject request, 2 new medium, 3 removal, 4 medium changed
	Present  bool  // a medium is in the drive
	TrayOpen bool
}

// MediaEvent polls for a media event. Reading an event clears it, and the
// kernel polls too: use the state bits, not the code, to decide things.
func (d *Drive) MediaEvent(ctx context.Context) (MediaEvent, error) {
	cdb := []byte{byte(scsi.OpGetEventStatus), 1, 0, 0, 0x10, 0, 0, 0, 8, 0}
	b, err := d.in(ctx, cdb, make([]byte, 8), quick)
	if err != nil {
		return MediaEvent{}, err
	}
	if err := need(scsi.OpGetEventStatus, b, 8); err != nil {
		return MediaEvent{}, err
	}
	if b[2]&0x80 != 0 || b[2]&7 != 4 {
		return MediaEvent{}, errors.New("GET EVENT STATUS NOTIFICATION: the drive reports no media events")
	}
	return MediaEvent{Code: b[4] & 15, Present: bit(b[5], 1), TrayOpen: bit(b[5], 0)}, nil
}

// Mechanism is the header of MECHANISM STATUS (6.10).
type Mechanism struct {
	Fault    bool
	DoorOpen bool
	LBA      int32 // where the pick-up is, roughly
	Slots    int   // of a changer; 0 otherwise
}

// MechanismStatus asks for the state of tray and changer.
func (d *Drive) MechanismStatus(ctx context.Context) (Mechanism, error) {
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpMechanismStatus)
	put16(cdb[8:], 8)
	b, err := d.in(ctx, cdb, make([]byte, 8), quick)
	if err != nil {
		return Mechanism{}, err
	}
	if err := need(scsi.OpMechanismStatus, b, 8); err != nil {
		return Mechanism{}, err
	}
	return Mechanism{
		Fault:    bit(b[0], 7),
		DoorOpen: bit(b[1], 4),
		LBA:      int32(b[2])<<16 | int32(b[3])<<8 | int32(b[4]),
		Slots:    int(b[5] & 0x3F),
	}, nil
}

// RegionState is the region playback control of a DVD drive (REPORT KEY format
// 8, 6.28.3.6).
type RegionState struct {
	Type         uint8 // 0 not set, 1 set, 2 last chance, 3 permanent
	ResetsLeft   uint8
	ChangesLeft  uint8
	RegionMask   uint8 // a zero bit allows the region of its number plus one
	HasRPCScheme bool  // RPC phase II
}

// RegionState asks for the region setting of the drive.
func (d *Drive) RegionState(ctx context.Context) (RegionState, error) {
	cdb := make([]byte, 12)
	cdb[0] = byte(scsi.OpReportKey)
	put16(cdb[8:], 8)
	cdb[10] = 8
	b, err := d.in(ctx, cdb, make([]byte, 8), quick)
	if err != nil {
		return RegionState{}, err
	}
	if err := need(scsi.OpReportKey, b, 8); err != nil {
		return RegionState{}, err
	}
	return RegionState{
		Type:         b[4] >> 6,
		ResetsLeft:   b[4] >> 3 & 7,
		ChangesLeft:  b[4] & 7,
		RegionMask:   b[5],
		HasRPCScheme: b[6] == 1,
	}, nil
}
