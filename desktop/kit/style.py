"""The small style: Fusion with our edges, focus rings, check marks and quiet scroll bars. Colours come from the
tokens.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QProxyStyle,
    QStyle,
    QStyleOption,
    QStyleOptionComplex,
    QStyleOptionSlider,
    QWidget,
)

from desktop.kit import icons, theme

State = QStyle.StateFlag
Primitive = QStyle.PrimitiveElement
Metric = QStyle.PixelMetric


def box(painter: QPainter, rect: QRect, *, fill: str, edge: str, focus: bool = False) -> None:
    """A control's surface: hairline edge, or the two-pixel focus edge."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    width = 2.0 if focus else 1.0
    painter.setPen(QPen(theme.tone("focus" if focus else edge), width))
    painter.setBrush(theme.tone(fill))
    inset = width / 2
    painter.drawRoundedRect(QRectF(rect).adjusted(inset, inset, -inset, -inset), theme.radius(), theme.radius())
    painter.restore()


class SmallStyle(QProxyStyle):
    """One per process; set before the first widget."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def pixelMetric(self, metric: Metric, option: QStyleOption | None = None, widget: QWidget | None = None) -> int:
        match metric:
            case Metric.PM_ScrollBarExtent:
                return 10
            case Metric.PM_IndicatorWidth | Metric.PM_IndicatorHeight:
                return theme.scaled(20)
            case Metric.PM_ExclusiveIndicatorWidth | Metric.PM_ExclusiveIndicatorHeight:
                return theme.scaled(20)
            case Metric.PM_CheckBoxLabelSpacing | Metric.PM_RadioButtonLabelSpacing:
                return 10
            case Metric.PM_ToolTipLabelFrameWidth:
                return 6
            case Metric.PM_SplitterWidth:
                return 8
        return super().pixelMetric(metric, option, widget)

    def drawPrimitive(
        self, element: Primitive, option: QStyleOption, painter: QPainter, widget: QWidget | None = None
    ) -> None:
        match element:
            case Primitive.PE_PanelLineEdit:
                if isinstance(widget, QLineEdit) and not widget.hasFrame():
                    return
                self._line_edit(option, painter, widget)
            case Primitive.PE_FrameLineEdit | Primitive.PE_FrameFocusRect:
                if element == Primitive.PE_FrameFocusRect:
                    self._focus(option, painter)
            case Primitive.PE_Frame:
                box(painter, option.rect, fill="surface", edge="edge", focus=bool(option.state & State.State_HasFocus))
            case Primitive.PE_IndicatorCheckBox:
                self._check(option.rect.translated(0, -theme.lift()), option, painter)
            case Primitive.PE_IndicatorRadioButton:
                self._radio(option.rect.translated(0, -theme.lift()), option, painter)
            case Primitive.PE_PanelTipLabel:
                painter.fillRect(option.rect, theme.tone("raised"))
                painter.setPen(theme.tone("edge"))
                painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
            case _:
                super().drawPrimitive(element, option, painter, widget)

    def _line_edit(self, option: QStyleOption, painter: QPainter, widget: QWidget | None) -> None:
        wrong = bool(widget is not None and widget.property("wrong"))
        locked = isinstance(widget, QLineEdit) and widget.isReadOnly()
        focus = bool(option.state & State.State_HasFocus)
        box(
            painter,
            option.rect,
            fill="grey_soft" if locked else "surface",
            edge="red" if wrong else "edge",
            focus=focus,
        )

    def _focus(self, option: QStyleOption, painter: QPainter) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.tone("focus"), 2))
        painter.drawRoundedRect(
            QRectF(option.rect).adjusted(1, 1, -1, -1), theme.radius("small"), theme.radius("small")
        )
        painter.restore()

    def _check(self, rect: QRect, option: QStyleOption, painter: QPainter) -> None:
        on = bool(option.state & State.State_On)
        partly = bool(option.state & State.State_NoChange)
        enabled = bool(option.state & State.State_Enabled)
        full = "blue" if enabled else "grey"
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.tone(full if on or partly else "edge"), 1.5))
        painter.setBrush(theme.tone(full if on or partly else "surface"))
        painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), theme.radius("small"), theme.radius("small"))
        painter.restore()
        if on or partly:
            icons.draw(painter, QRectF(rect).adjusted(2, 2, -2, -2), "check" if on else "minus", "on_blue")

    def _radio(self, rect: QRect, option: QStyleOption, painter: QPainter) -> None:
        on = bool(option.state & State.State_On)
        enabled = bool(option.state & State.State_Enabled)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.tone(("blue" if enabled else "grey") if on else "edge"), 1.5))
        painter.setBrush(theme.tone("surface"))
        ring = QRectF(rect).adjusted(1, 1, -1, -1)
        painter.drawEllipse(ring)
        if on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("blue" if enabled else "grey"))
            inner = ring.width() * 0.26
            painter.drawEllipse(ring.adjusted(inner, inner, -inner, -inner))
        painter.restore()

    def drawComplexControl(
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        if control == QStyle.ComplexControl.CC_ScrollBar and isinstance(option, QStyleOptionSlider):
            self._scroll_bar(option, painter, widget)
        elif control == QStyle.ComplexControl.CC_ComboBox and isinstance(widget, QComboBox) and not widget.isEditable():
            focus = bool(option.state & State.State_HasFocus)
            wrong = bool(widget.property("wrong"))
            box(painter, option.rect, fill="surface", edge="red" if wrong else "edge", focus=focus)
            rect = QRectF(option.rect)
            icons.draw(painter, QRectF(rect.right() - 32, rect.top(), 20, rect.height()), "chevron-down", "soft")
        else:
            super().drawComplexControl(control, option, painter, widget)

    def _scroll_bar(self, option: QStyleOptionSlider, painter: QPainter, widget: QWidget | None) -> None:
        handle = self.subControlRect(
            QStyle.ComplexControl.CC_ScrollBar, option, QStyle.SubControl.SC_ScrollBarSlider, widget
        )
        if option.minimum == option.maximum:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        held = bool(option.state & State.State_Sunken) or bool(option.state & State.State_MouseOver)
        painter.setBrush(theme.tone("edge" if held else "line"))
        painter.drawRoundedRect(QRectF(handle).adjusted(2, 2, -2, -2), 3, 3)
        painter.restore()

    def subControlRect(
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        sub: QStyle.SubControl,
        widget: QWidget | None = None,
    ) -> QRect:
        if control == QStyle.ComplexControl.CC_ScrollBar and isinstance(option, QStyleOptionSlider):
            if sub in (QStyle.SubControl.SC_ScrollBarAddLine, QStyle.SubControl.SC_ScrollBarSubLine):
                return QRect()
            return self._scroll_part(option, sub)
        if control == QStyle.ComplexControl.CC_ComboBox and sub == QStyle.SubControl.SC_ComboBoxEditField:
            return option.rect.adjusted(10, 0, -36, 0)
        return super().subControlRect(control, option, sub, widget)  # type: ignore[arg-type]  # None for list items

    def _scroll_part(self, option: QStyleOptionSlider, sub: QStyle.SubControl) -> QRect:
        """Scroll bars without arrow buttons: groove, handle and the two page areas."""
        upright = option.orientation == Qt.Orientation.Vertical
        length = option.rect.height() if upright else option.rect.width()
        span = option.maximum - option.minimum + option.pageStep
        handle = max(32, int(length * option.pageStep / span)) if span > 0 else length
        handle = min(handle, length)
        at = QStyle.sliderPositionFromValue(
            option.minimum, option.maximum, option.sliderPosition, length - handle, option.upsideDown
        )
        start, size = {
            QStyle.SubControl.SC_ScrollBarGroove: (0, length),
            QStyle.SubControl.SC_ScrollBarSlider: (at, handle),
            QStyle.SubControl.SC_ScrollBarSubPage: (0, at),
            QStyle.SubControl.SC_ScrollBarAddPage: (at + handle, length - at - handle),
        }.get(sub, (0, 0))
        if upright:
            return QRect(option.rect.x(), option.rect.y() + start, option.rect.width(), size)
        return QRect(option.rect.x() + start, option.rect.y(), size, option.rect.height())
