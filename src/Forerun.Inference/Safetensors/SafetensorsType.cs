namespace Forerun.Inference.Safetensors;

/// <summary>Element types of a safetensors file that Forerun reads and writes; the names are the format's own.</summary>
public enum SafetensorsType
{
    /// <summary>Single precision.</summary>
    F32,

    /// <summary>Half precision.</summary>
    F16,

    /// <summary>Signed 32-bit integers.</summary>
    I32,
}
