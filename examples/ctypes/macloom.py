"""libmacloom through ctypes; only the standard library is needed.

MACLOOM_LIBRARY names the library file if the loader does not find libmacloom.so by itself.
"""
import ctypes
import os
from ctypes import POINTER, byref, c_char_p, c_float, c_int8, c_int32, c_int64, c_size_t, c_void_p

ROUND_DOUBLE, ROUND_SINGLE = 0, 1
WRAP, SATURATE = 0, 1
BLOCK_TAP, FLAT_TAP, TAP_SERIAL, TAP_SERIAL_COLUMN = range(4)
ALL_NODES, EXACT_BITS = -1, 64


class NetworkInfo(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("origin", c_char_p), ("is_untrained", c_int32), ("num_tensors", c_int32),
                ("num_nodes", c_int32), ("input_tensor", c_int32), ("output_tensor", c_int32),
                ("num_class_labels", c_int32)]


class TensorInfo(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("shape_sizes", POINTER(c_int64)), ("num_axes", c_int32),
                ("num_elements", c_int64), ("format", c_char_p), ("min_code", c_int32), ("max_code", c_int32),
                ("is_affine", c_int32), ("fraction_bits", c_int32), ("zero_point", c_int32), ("scale", c_float)]

    @property
    def shape(self):
        return self.shape_sizes[:self.num_axes]


class NodeInfo(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("operator_name", c_char_p), ("num_inputs", c_int32), ("inputs", c_int32 * 2),
                ("output", c_int32), ("num_macs", c_int64), ("required_accumulator_bits", c_int32)]


class Events(ctypes.Structure):
    _fields_ = [("overflow_events", c_int64), ("overflowed_outputs", c_int64), ("wrong_outputs", c_int64),
                ("clamped_low", c_int64), ("clamped_high", c_int64)]


class Error(RuntimeError):
    """What macloom_last_error() says; `status` is the value of macloom_status."""

    def __init__(self, status):
        super().__init__(_library.macloom_last_error().decode(errors="replace"))
        self.status = status


def _check(status):
    if status != 0:
        raise Error(status)


_library = ctypes.CDLL(os.environ.get("MACLOOM_LIBRARY", "libmacloom.so"))
_library.macloom_last_error.restype = _library.macloom_version.restype = c_char_p
_library.macloom_free.restype = None
for _name, _arguments in {
        "macloom_load": [c_char_p, c_int32, POINTER(c_void_p)],
        "macloom_free": [c_void_p],
        "macloom_describe": [c_void_p, POINTER(NetworkInfo)],
        "macloom_describe_tensor": [c_void_p, c_int32, POINTER(TensorInfo)],
        "macloom_describe_node": [c_void_p, c_int32, POINTER(NodeInfo)],
        "macloom_set_accumulation": [c_void_p] + 5 * [c_int32],
        "macloom_run_int8": [c_void_p, POINTER(c_int8), c_size_t, POINTER(c_int8), c_size_t],
        "macloom_read_tensor": [c_void_p, c_int32, POINTER(c_int32), c_size_t],
        "macloom_read_events": [c_void_p, c_int32, POINTER(Events)]}.items():
    getattr(_library, _name).argtypes = _arguments


class Network:
    """A loaded network: a .tflite file, a network file or the name of a shipped network."""

    def __init__(self, model, rounding=ROUND_DOUBLE):
        self._handle = c_void_p()
        _check(_library.macloom_load(os.fsencode(model), rounding, byref(self._handle)))
        self.info = NetworkInfo()
        _check(_library.macloom_describe(self._handle, byref(self.info)))
        self.tensors = [self._describe("tensor", i, TensorInfo()) for i in range(self.info.num_tensors)]
        self.nodes = [self._describe("node", i, NodeInfo()) for i in range(self.info.num_nodes)]

    def __del__(self):
        _library.macloom_free(self._handle)

    def _describe(self, what, index, info):
        _check(getattr(_library, "macloom_describe_" + what)(self._handle, index, byref(info)))
        return info

    def set_accumulation(self, width_bits, overflow=WRAP, products_per_step=1, order=BLOCK_TAP, node=ALL_NODES):
        _check(_library.macloom_set_accumulation(self._handle, node, width_bits, overflow, products_per_step, order))

    def run(self, codes):
        """Input codes, row-major; returns the output codes."""
        source = (c_int8 * len(codes))(*codes)
        result = (c_int8 * self.tensors[self.info.output_tensor].num_elements)()
        _check(_library.macloom_run_int8(self._handle, source, len(source), result, len(result)))
        return list(result)

    def tensor(self, index):
        """Codes of any tensor in the last run."""
        codes = (c_int32 * self.tensors[index].num_elements)()
        _check(_library.macloom_read_tensor(self._handle, index, codes, len(codes)))
        return list(codes)

    def events(self, node):
        """Counts of one node in the last run."""
        events = Events()
        _check(_library.macloom_read_events(self._handle, node, byref(events)))
        return events
